#include "cache/pages.hpp"

#include <algorithm>

#include "base/random.hpp"
#include "cache/database.hpp"

namespace mbu::cache {
namespace {

// A key is 15 bits of the series and 48 of the id. Two pages with one key displace each other, and are missed at worst: each is sealed with
// its own.
constexpr int kIdBits = 48;
constexpr std::uint64_t kSeries = 0x7fff;
constexpr std::uint64_t kIdMask = (std::uint64_t{1} << kIdBits) - 1;
constexpr std::size_t kAround = sizeof(crypto::Nonce) + sizeof(crypto::Tag);
// What holding one costs beside its bytes, about.
constexpr std::size_t kOverhead = 128;

// Bound to what it is sealed with: the key in the database, and the id's own bytes before the page.
std::array<std::uint8_t, 8> additional(std::int64_t key) {
  std::array<std::uint8_t, 8> bytes;
  write_integer(bytes, static_cast<std::uint64_t>(key));
  return bytes;
}

}  // namespace

Pages::Pages(Database& database, const crypto::Key& key, const crypto::Digest& series, Unwritten unwritten)
    : database_(&database), unwritten_(unwritten), aead_(std::in_place, key), series_(load<std::uint64_t>(series) & kSeries), mutex_(&database.mutex) {
  const std::scoped_lock lock(*mutex_);
  note_use();
}
Pages::Pages(Unwritten unwritten) : unwritten_(unwritten) {}
Pages::~Pages() { write_back(); }

Pages::Key Pages::key_of(const ChunkId& id) const noexcept {
  return first_key() | static_cast<Key>(load<std::uint64_t>(id.view()) & kIdMask);
}
Pages::Key Pages::first_key() const noexcept { return static_cast<Key>(series_ << kIdBits); }
Pages::Key Pages::last_key() const noexcept { return first_key() | static_cast<Key>(kIdMask); }

std::optional<ByteBuffer> Pages::find(const ChunkId& id) {
  const std::scoped_lock lock(*mutex_);
  const auto held = held_.find(key_of(id));
  if (held == held_.end()) {
    auto bytes = read(id);
    if (bytes) hold(id, *bytes, true);
    return bytes;
  }
  ages_.splice(ages_.begin(), ages_, held->second.age);
  const ByteView bytes = held->second.bytes;
  if (!std::ranges::equal(bytes.first(ChunkId::kSize), id.view())) return std::nullopt;
  return ByteBuffer(bytes.begin() + ChunkId::kSize, bytes.end());
}

bool Pages::has(const ChunkId& id) {
  const std::scoped_lock lock(*mutex_);
  if (const auto held = held_.find(key_of(id)); held != held_.end()) {
    return std::ranges::equal(ByteView(held->second.bytes).first(ChunkId::kSize), id.view());
  }
  return read(id).has_value();
}

void Pages::put(const ChunkId& id, ByteView bytes) {
  const std::scoped_lock lock(*mutex_);
  hold(id, {bytes.begin(), bytes.end()}, false);
}

void Pages::hold(const ChunkId& id, ByteBuffer bytes, bool written) {
  const auto key = key_of(id);
  ByteBuffer both(id.view().begin(), id.view().end());
  append(both, bytes);
  auto [held, is_new] = held_.try_emplace(key);
  if (is_new) {
    held->second.age = ages_.insert(ages_.begin(), key);
  } else {
    held_bytes_ -= held->second.bytes.size() + kOverhead;
    ages_.splice(ages_.begin(), ages_, held->second.age);
    written = written && held->second.written;
  }
  held->second.bytes = std::move(both);
  held->second.written = written;
  held_bytes_ += held->second.bytes.size() + kOverhead;
  if (held_bytes_ > kMostInMemory) make_room();
}

// Again and again, for who runs for months.
void Pages::note_use() {
  const auto today = Database::today();
  if (today - noted_ < Database::kNotedDays) return;
  noted_ = today;
  database_->guarded([&] { database_->note_use(first_key(), last_key()); });
}

// To half, so that what is written is written together.
void Pages::make_room() {
  write_held();
  while (held_bytes_ > kMostInMemory / 2 && !ages_.empty()) {
    const auto oldest = held_.find(ages_.back());
    if (!oldest->second.written && unwritten_ == Unwritten::stays) return;  // no database now
    held_bytes_ -= oldest->second.bytes.size() + kOverhead;
    held_.erase(oldest);
    ages_.pop_back();
  }
}

void Pages::write_held() {
  if (database_ == nullptr || !database_->works()) return;
  note_use();
  std::vector<Held*> done;
  bool committed = false;
  database_->guarded([&] {
    database_->begin(Database::Transaction::write);
    for (auto& [key, held] : held_) {
      if (held.written) continue;
      write(key, held);
      done.push_back(&held);
    }
    database_->commit();
    committed = true;
  });
  if (!committed) return;
  for (auto* held : done) held->written = true;
}

void Pages::write(Key key, const Held& held) {
  database_->statement("INSERT OR REPLACE INTO pages(key, sealed) VALUES(?,?)").bind(1, key).bind(2, sealed(key, held.bytes)).step();
}

ByteBuffer Pages::sealed(Key key, ByteView bytes) {
  crypto::Nonce nonce;  // random: pages under one key stay far below the 2^32 that makes a repeat likely
  fill_random(nonce);
  ByteBuffer stored(kAround + bytes.size());
  const auto tag = aead_->seal(nonce, additional(key), bytes, MutableBytes(stored).subspan(kAround));
  std::ranges::copy(nonce, stored.begin());
  std::ranges::copy(tag, stored.begin() + nonce.size());
  return stored;
}

std::optional<ByteBuffer> Pages::read(const ChunkId& id) {
  if (database_ == nullptr) return std::nullopt;
  note_use();
  std::optional<ByteBuffer> page;
  database_->guarded([&] {
    database_->begin(Database::Transaction::read);
    auto found = database_->statement("SELECT sealed FROM pages WHERE key=?");
    if (!found.bind(1, key_of(id)).step()) return;
    const auto stored = found.bytes(0);
    if (stored.size() < kAround + ChunkId::kSize) return;
    crypto::Nonce nonce;
    crypto::Tag tag;
    std::ranges::copy(stored.first(nonce.size()), nonce.begin());
    std::ranges::copy(stored.subspan(nonce.size(), tag.size()), tag.begin());
    ByteBuffer plain(stored.size() - kAround);
    if (!aead_->open(nonce, additional(key_of(id)), stored.subspan(kAround), tag, plain)) return;
    if (!std::ranges::equal(ByteView(plain).first(ChunkId::kSize), id.view())) return;
    page.emplace(plain.begin() + ChunkId::kSize, plain.end());
  });
  return page;
}

void Pages::write_back() {
  const std::scoped_lock lock(*mutex_);
  write_held();
}

void Pages::sweep(const std::unordered_set<ChunkId, IdentifierHash>& live) {
  std::vector<Key> keys;
  keys.reserve(live.size());
  for (const auto& id : live) keys.push_back(key_of(id));
  std::ranges::sort(keys);
  const auto is_live = [&](Key key) { return std::ranges::binary_search(keys, key); };
  const std::scoped_lock lock(*mutex_);
  for (auto held = held_.begin(); held != held_.end();) {
    if (is_live(held->first)) {
      ++held;
      continue;
    }
    held_bytes_ -= held->second.bytes.size() + kOverhead;
    ages_.erase(held->second.age);
    held = held_.erase(held);
  }
  if (database_ == nullptr) return;
  database_->guarded([&] {
    database_->begin(Database::Transaction::write);
    std::vector<Key> dead;
    {
      auto all = database_->statement("SELECT key FROM pages WHERE key BETWEEN ? AND ?");
      all.bind(1, first_key()).bind(2, last_key());
      while (all.step()) {
        if (!is_live(all.number(0))) dead.push_back(all.number(0));
      }
    }
    for (const auto key : dead) database_->statement("DELETE FROM pages WHERE key=?").bind(1, key).step();
    database_->commit();
  });
}

}  // namespace mbu::cache

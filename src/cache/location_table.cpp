// The file, in this order, numbers little-endian:
//
//   header     a page: magic, the table's id, counts and offsets, the directory's checksum, and one of all this
//   records    one a pack: checksum and bytes, as they come
//   filter     pages of 63 Bloom blocks of 64 bytes
//   places     pages of 145 places of 28 bytes, and how many there are
//   directory  the first id of each page of places; name and record of each pack; the sources
//
// The last 16 bytes of a page are its checksum. All checksums are numbered by the offset of what they are of: what lies elsewhere does not
// pass.
#include "cache/location_table.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/random.hpp"

namespace mbu::cache {
namespace {

constexpr std::string_view kMagic = "MBULOC03";
constexpr std::size_t kPage = 4096;
constexpr std::size_t kSum = sizeof(crypto::Sum);
constexpr std::size_t kContent = kPage - kSum;
constexpr std::size_t kHeader = 88;  // without its checksum

constexpr std::size_t kBlock = 64;
constexpr std::size_t kBlocksInPage = 63;
constexpr std::uint64_t kFilterBits = 12;  // a chunk: about one absent id in a hundred is looked for in vain
constexpr unsigned kProbes = 6;
constexpr std::uint64_t kFilterInMemory = 2U << 20;  // bytes, at most

constexpr std::size_t kId = ChunkPrefix::kSize;
constexpr std::size_t kPlace = kId + 12;
constexpr std::size_t kPlacesInPage = 145;
constexpr std::size_t kCountAt = kPlace * kPlacesInPage;
static_assert(kCountAt + 2 <= kContent && kBlock * kBlocksInPage <= kContent);

constexpr std::size_t kWrittenAtOnce = 256 * 1024;

// In the order of ids.
std::uint64_t rank_of(const ChunkPrefix& id) noexcept {
  std::uint64_t rank = 0;
  for (std::size_t i = 0; i < 8; ++i) rank = rank << 8 | id.bytes[i];
  return rank;
}

std::uint64_t filter_block_of(const ChunkPrefix& id, std::uint64_t blocks) noexcept {
  return std::min(rank_of(id) / (UINT64_MAX / blocks), blocks - 1);
}

// Calls visit(byte of the block, mask of the bit) for each bit of the chunk.
template <class Visit>
bool all_bits(const ChunkPrefix& id, Visit visit) {
  auto hash = load<std::uint64_t>(id.view().subspan(8));
  for (unsigned i = 0; i < kProbes; ++i, hash >>= 9) {
    if (!visit(static_cast<std::size_t>(hash % 512 / 8), static_cast<std::uint8_t>(1U << hash % 8))) return false;
  }
  return true;
}

std::uint64_t round_up(std::uint64_t size) noexcept { return (size + kPage - 1) / kPage * kPage; }
std::uint64_t filter_pages(std::uint64_t blocks) noexcept { return (blocks + kBlocksInPage - 1) / kBlocksInPage; }

crypto::Key table_key(const crypto::Key& credential, ByteView id) {
  return crypto::derive("mbu v1 cache location table key", {crypto::view(credential), id});
}

void encode_place(const ChunkPlace& place, MutableBytes to) noexcept {
  std::ranges::copy(place.id.bytes, to.begin());
  write_integer(to.subspan(kId), place.pack);
  write_integer(to.subspan(kId + 4), static_cast<std::uint64_t>(place.block) | std::uint64_t{place.offset} << 16 |
                                    std::uint64_t{place.length} << 40);
}

ChunkPlace decode_place(ByteView from) noexcept {
  ChunkPlace place;
  place.id = ChunkPrefix::from(from.first(kId));
  place.pack = load<std::uint32_t>(from.subspan(kId));
  const auto packed = load<std::uint64_t>(from.subspan(kId + 4));
  place.block = static_cast<std::uint32_t>(packed & 0xffff);
  place.offset = static_cast<std::uint32_t>(packed >> 16 & 0xff'ffff);
  place.length = static_cast<std::uint32_t>(packed >> 40);
  return place;
}

ByteView place_at(ByteView page, std::size_t number) noexcept { return page.subspan(number * kPlace, kPlace); }

// Of a page that is verified.
std::size_t places_in(ByteView page) noexcept {
  return std::min<std::size_t>(load<std::uint16_t>(page.subspan(kCountAt)), kPlacesInPage);
}

bool has_sum(const crypto::Key& key, std::uint64_t offset, ByteView bytes, ByteView sum) {
  return crypto::equal_in_constant_time(crypto::numbered_sum(key, offset, bytes), sum);
}

}  // namespace

// --- Reading ---

std::unique_ptr<LocationTable> LocationTable::open(const std::string& path, const crypto::Key& key) {
  std::unique_ptr<LocationTable> table(new LocationTable);
  table->path_ = path;
  const os::Blame blame{Code::failed, path};
  try {
    table->file_ = os::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, blame);
    ByteBuffer header(kPage);
    if (!table->read_at(0, header) || !table->decode_header(header, key)) return nullptr;
    struct stat status {};
    if (::fstat(table->file_.get(), &status) != 0) return nullptr;
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (table->directory_at_ > size || table->directory_size_ != size - table->directory_at_) return nullptr;
    ByteBuffer directory(table->directory_size_);
    if (!table->read_at(table->directory_at_, directory) || !table->decode_directory(directory)) return nullptr;
    if (!table->load_filter()) return nullptr;
  } catch (const Error&) {
    return nullptr;
  }
  return table;
}

bool LocationTable::decode_header(ByteView header, const crypto::Key& key) {
  Reader reader(header.first(kHeader), path_);
  if (as_text(reader.take(kMagic.size())) != kMagic) return false;
  key_ = table_key(key, reader.take(16));
  if (!has_sum(*key_, 0, header.first(kHeader), header.subspan(kHeader, kSum))) return false;
  chunks_ = reader.integer<std::uint64_t>();
  filter_at_ = reader.integer<std::uint64_t>();
  filter_blocks_ = reader.integer<std::uint64_t>();
  pages_at_ = reader.integer<std::uint64_t>();
  directory_at_ = reader.integer<std::uint64_t>();
  directory_size_ = reader.integer<std::uint64_t>();
  std::ranges::copy(reader.take(directory_sum_.size()), directory_sum_.begin());
  return true;
}

// What passes its checksum is what the writer wrote.
bool LocationTable::decode_directory(ByteView directory) {
  if (!has_sum(*key_, directory_at_, directory, directory_sum_)) return false;
  Reader reader(directory, path_);
  fences_.resize((directory_at_ - pages_at_) / kPage);
  for (auto& fence : fences_) fence = reader.integer<std::uint64_t>();
  packs_.resize(reader.integer<std::uint32_t>());
  records_.resize(packs_.size());
  for (std::size_t i = 0; i < packs_.size(); ++i) {
    packs_[i] = reader.identifier<ObjectName>();
    records_[i].offset = reader.integer<std::uint64_t>();
    records_[i].size = reader.integer<std::uint32_t>();
  }
  sources_.resize(reader.integer<std::uint32_t>());
  for (auto& source : sources_) {
    source.index = reader.identifier<ObjectName>();
    source.signer = reader.identifier<PublicKey>();
    source.domain = reader.identifier<DomainId>();
  }
  return true;
}

bool LocationTable::load_filter() {
  const auto pages = filter_pages(filter_blocks_);
  if (pages * kPage > kFilterInMemory) {
    verified_ = std::vector<std::atomic<std::uint64_t>>(pages / 64 + 1);
    return true;
  }
  filter_.resize(pages * kPage);
  for (std::uint64_t page = 0; page < pages; ++page) {
    if (!read_page(filter_at_ + page * kPage, MutableBytes(filter_).subspan(page * kPage, kPage))) return false;
  }
  return true;
}

bool LocationTable::read_at(std::uint64_t offset, MutableBytes to) const {
  try {
    return os::read_full_at(file_.get(), to, offset, {Code::failed, path_}) == to.size();
  } catch (const Error&) {
    return false;
  }
}

bool LocationTable::read_page(std::uint64_t offset, MutableBytes to) const {
  return read_at(offset, to) && has_sum(*key_, offset, to.first(kContent), to.last(kSum));
}

bool LocationTable::read_filter(const ChunkPrefix& id, MutableBytes to) const {
  const auto number = filter_block_of(id, filter_blocks_);
  const auto page = number / kBlocksInPage;
  const auto at = static_cast<std::size_t>(number % kBlocksInPage) * kBlock;
  if (!filter_.empty()) {
    std::ranges::copy(ByteView(filter_).subspan(page * kPage + at, kBlock), to.begin());
    return true;
  }
  auto& word = verified_[page / 64];
  const std::uint64_t bit = std::uint64_t{1} << page % 64;
  if ((word.load(std::memory_order_relaxed) & bit) != 0) return read_at(filter_at_ + page * kPage + at, to);
  std::array<std::uint8_t, kPage> bytes;
  if (!read_page(filter_at_ + page * kPage, bytes)) return false;
  word.fetch_or(bit, std::memory_order_relaxed);
  std::ranges::copy(ByteView(bytes).subspan(at, kBlock), to.begin());
  return true;
}

LocationTable::Lookup LocationTable::find(const ChunkPrefix& id, std::vector<ChunkPlace>& to) const {
  if (fences_.empty()) return Lookup::absent;
  std::array<std::uint8_t, kBlock> block;
  if (!read_filter(id, block)) return Lookup::damaged;
  const bool maybe = all_bits(id, [&](std::size_t byte, std::uint8_t mask) { return (block[byte] & mask) != 0; });
  if (!maybe) return Lookup::absent;
  const auto rank = rank_of(id);
  auto page = static_cast<std::uint64_t>(std::ranges::lower_bound(fences_, rank) - fences_.begin());
  if (page > 0) --page;  // the page before may end with it
  auto result = Lookup::absent;
  std::array<std::uint8_t, kPage> bytes;
  for (; page < fences_.size() && fences_[page] <= rank; ++page) {
    if (!read_page(pages_at_ + page * kPage, bytes)) return Lookup::damaged;
    const std::size_t count = places_in(bytes);
    std::size_t first = 0, behind = count;
    while (first < behind) {
      const auto middle = (first + behind) / 2;
      const bool before = std::ranges::lexicographical_compare(place_at(bytes, middle).first(kId), id.bytes);
      (before ? first : behind) = before ? middle + 1 : middle;
    }
    for (; first < count && std::ranges::equal(place_at(bytes, first).first(kId), id.bytes); ++first) {
      to.push_back(decode_place(place_at(bytes, first)));
      result = Lookup::found;
    }
    if (first < count) break;
  }
  return result;
}

std::optional<ByteBuffer> LocationTable::pack_record(std::uint32_t number) const {
  const auto& record = records_.at(number);
  ByteBuffer bytes(kSum + record.size);
  if (!read_at(record.offset, bytes)) return std::nullopt;
  const ByteView content = ByteView(bytes).subspan(kSum);
  if (!has_sum(*key_, record.offset, content, ByteView(bytes).first(kSum))) return std::nullopt;
  return ByteBuffer(content.begin(), content.end());
}

LocationTable::Lookup LocationTable::Cursor::next(ChunkPlace& to) {
  if (place_ == places_) {
    if (page_ == table_->fences_.size()) return Lookup::absent;
    bytes_.resize(kPage);
    if (!table_->read_page(table_->pages_at_ + page_ * kPage, bytes_)) return Lookup::damaged;
    ++page_;
    place_ = 0;
    places_ = places_in(bytes_);
    if (places_ == 0) return Lookup::damaged;
  }
  to = decode_place(place_at(bytes_, place_++));
  return Lookup::found;
}

// --- Writing ---

LocationTableWriter::LocationTableWriter(std::string directory, const crypto::Key& key, std::uint64_t most_chunks)
    : directory_(std::move(directory)),
      name_(directory_ + '/' + os::unique_name(".mbu-tmp-")),
      credential_key_(key.clone()),
      most_chunks_(most_chunks) {
  fill_random(id_);
  key_ = table_key(credential_key_, id_);
  const os::Blame blame{Code::failed, name_};
  os::make_directories(directory_, 0700, blame);
  file_ = os::open_at(AT_FDCWD, name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, blame);
  records_.offset = kPage;
}

LocationTableWriter::~LocationTableWriter() {
  if (!finished_) ::unlink(name_.c_str());
}

void LocationTableWriter::write(Stream& stream, ByteView bytes) {
  append(stream.pending, bytes);
  if (stream.pending.size() >= kWrittenAtOnce) flush(stream);
}

void LocationTableWriter::flush(Stream& stream) {
  os::write_all_at(file_.get(), stream.pending, stream.offset, {Code::failed, name_});
  stream.offset += stream.pending.size();
  stream.pending.clear();
}

std::uint32_t LocationTableWriter::add_pack(const ObjectName& name, ByteView record) {
  const std::uint64_t offset = records_.offset + records_.pending.size();
  append(pack_directory_, name.view());
  append(pack_directory_, offset);
  append(pack_directory_, static_cast<std::uint32_t>(record.size()));
  write(records_, crypto::numbered_sum(key_, offset, record));
  write(records_, record);
  return packs_++;
}

// All packs are known: what lies behind their records has its place.
void LocationTableWriter::begin_places() {
  flush(records_);
  filter_blocks_ = std::max<std::uint64_t>(1, most_chunks_ * kFilterBits / (8 * kBlock));
  filter_at_ = round_up(records_.offset);
  pages_at_ = filter_at_ + filter_pages(filter_blocks_) * kPage;
  filter_.offset = filter_at_;
  pages_.offset = pages_at_;
  filter_bytes_.assign(kPage, 0);
  place_bytes_.assign(kPage, 0);
}

void LocationTableWriter::write_page(Stream& stream, MutableBytes page) {
  const auto sum = crypto::numbered_sum(key_, stream.offset + stream.pending.size(), page.first(kContent));
  std::ranges::copy(sum, page.last(kSum).begin());
  write(stream, page);
}

void LocationTableWriter::close_filter_page() {
  write_page(filter_, filter_bytes_);
  std::ranges::fill(filter_bytes_, std::uint8_t{0});
  ++filter_page_;
}

void LocationTableWriter::close_place_page() {
  write_integer(MutableBytes(place_bytes_).subspan(kCountAt), static_cast<std::uint16_t>(places_in_page_));
  write_page(pages_, place_bytes_);
  std::ranges::fill(place_bytes_, std::uint8_t{0});
  places_in_page_ = 0;
}

void LocationTableWriter::add(const ChunkPlace& place) {
  if (place_bytes_.empty()) begin_places();
  const auto block = filter_block_of(place.id, filter_blocks_);
  while (filter_page_ < block / kBlocksInPage) close_filter_page();
  const auto at = static_cast<std::size_t>(block % kBlocksInPage) * kBlock;
  all_bits(place.id, [&](std::size_t byte, std::uint8_t mask) { return (filter_bytes_[at + byte] |= mask) != 0; });

  if (places_in_page_ == 0) fences_.push_back(rank_of(place.id));
  encode_place(place, MutableBytes(place_bytes_).subspan(places_in_page_ * kPlace, kPlace));
  ++chunks_;
  if (++places_in_page_ == kPlacesInPage) close_place_page();
}

std::string LocationTableWriter::finish(const std::vector<TableSource>& sources) {
  if (place_bytes_.empty()) begin_places();
  while (filter_page_ < filter_pages(filter_blocks_)) close_filter_page();
  if (places_in_page_ != 0) close_place_page();
  flush(filter_);
  flush(pages_);

  ByteBuffer directory;
  for (const auto fence : fences_) append(directory, fence);
  append(directory, packs_);
  append(directory, pack_directory_);
  append(directory, static_cast<std::uint32_t>(sources.size()));
  for (const auto& source : sources) {
    append(directory, source.index.view());
    append(directory, source.signer.view());
    append(directory, source.domain.view());
  }
  const os::Blame blame{Code::failed, name_};
  os::write_all_at(file_.get(), directory, pages_.offset, blame);

  ByteBuffer header;
  append(header, as_bytes(kMagic));
  append(header, id_);
  for (const std::uint64_t number : {chunks_, filter_at_, filter_blocks_, pages_at_, pages_.offset,
                                     std::uint64_t{directory.size()}}) {
    append(header, number);
  }
  append(header, crypto::numbered_sum(key_, pages_.offset, directory));
  append(header, crypto::numbered_sum(key_, 0, header));
  header.resize(kPage);
  os::write_all_at(file_.get(), header, 0, blame);

  const auto path = directory_ + '/' + to_hex(id_) + ".locations";
  if (::rename(name_.c_str(), path.c_str()) != 0) throw os::system_error(blame, "rename into place", errno);
  finished_ = true;
  return path;
}

}  // namespace mbu::cache

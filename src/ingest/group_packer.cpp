#include "ingest/group_packer.hpp"

#include <algorithm>
#include <cerrno>
#include <numeric>

#include "tree/builder.hpp"

namespace mbu::ingest {
namespace {

// Far below the largest chunk, so that a page with long extended attributes is split and not refused.
constexpr std::size_t kLargestPage = 1U << 20;
constexpr std::size_t kHeaviestEntry = format::kLargestChunk - format::kPageOverhead;

// What is likely to compress well together.
std::string_view extension(std::string_view name) {
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? std::string_view{} : name.substr(dot + 1);
}

// Whether one of the names could be in the page: a directory that shrank has many pages in which there is none any more.
bool knows_any(const format::Page& page, std::span<const source::Item> names) {
  if (page.entries.empty()) return false;
  const auto first = std::ranges::lower_bound(names, page.entries.front().name, {}, &source::Item::name);
  return first != names.end() && first->name <= page.entries.back().name;
}

std::uint64_t link_group(const os::FileStatus& status, const std::array<std::uint8_t, 16>& key) {
  ByteBuffer bytes;
  append(bytes, status.dev);
  append(bytes, status.ino);
  return std::max<std::uint64_t>(1, crypto::short_hash(key, bytes));
}

}  // namespace

bool is_inline(const os::FileStatus& status) noexcept {
  return status.type == EntryType::regular && status.size <= tree::kLargestInline &&
         (status.size == 0 || status.blocks != 0);
}

OldEntries::OldEntries(const DirectoryTask& directory, const Group& group, tree::TreeReader& reader) {
  if (!directory.previous || group.begin == group.end) return;
  const auto names = std::span(directory.items).subspan(group.begin, group.end - group.begin);
  try {
    reader.for_each_leaf_between(*directory.previous, directory.path, directory.items[group.begin].name,
                                 directory.items[group.end - 1].name,
                                 [&](format::Page&& page) {
                                   if (knows_any(page, names)) pages_.push_back(std::move(page));
                                 });
  } catch (const Error& error) {
    // The base cannot be read here: its files are read again. If it is damaged, whoever made the reader tells about it.
    if (!tree::is_unreadable(error)) throw;
    pages_.clear();
  }
}

const format::Entry* OldEntries::find(const std::string& name, const format::Page** page) const {
  for (const auto& candidate : pages_) {
    if (candidate.entries.empty() || candidate.entries.back().name < name) continue;
    const auto found = std::ranges::lower_bound(candidate.entries, name, {}, &format::Entry::name);
    if (found->name != name) return nullptr;
    if (page != nullptr) *page = &candidate;
    return &*found;
  }
  return nullptr;
}

GroupPacker::GroupPacker(DirectoryTask& directory, Group& group, FilePacker& packer, tree::TreeReader& reader,
                         const keys::DomainKeys& domain, Tell tell)
    : directory_(directory),
      group_(group),
      packer_(packer),
      reader_(reader),
      domain_(domain),
      tell_(std::move(tell)),
      old_(directory, group, reader) {
  take_results();
  slots_.reserve(group_.end - group_.begin);
  for (std::size_t i = group_.begin; i < group_.end; ++i) {
    slots_.push_back({i, {}, nullptr, nullptr, false, false});
    prepare(slots_.back());
  }
  look_for_files();
}

void GroupPacker::run() {
  pack_files();
  pack_inline();
  std::vector<format::Entry> entries;
  for (auto& slot : slots_) {
    if (!slot.failed && format::entry_weight(slot.entry) > kHeaviestEntry) {
      fail(slot, Error(Code::source, "its extended attributes are too large to be stored", slot.entry.name));
    }
    if (slot.failed) continue;
    count(slot);
    entries.push_back(std::move(slot.entry));
  }
  write_pages(std::move(entries));
}

// The directory's maps still grow by what other groups wait for: what is this group's leaves them under the lock, once.
void GroupPacker::take_results() {
  const std::scoped_lock lock(directory_.mutex);
  const auto copy_own = [&](const auto& from, auto& to) {
    to.insert(from.lower_bound(group_.begin), from.lower_bound(group_.end));
  };
  copy_own(directory_.children, results_.children);
  copy_own(directory_.failures, results_.failures);
  auto& packed = directory_.packed_files;
  for (auto at = packed.lower_bound(group_.begin); at != packed.end() && at->first < group_.end;) {
    results_.packed_files.insert(packed.extract(at++));
  }
}

// Everything about the entry but the contents of files.
void GroupPacker::prepare(Slot& slot) {
  const auto& item = directory_.items[slot.position];
  slot.old = old_.find(item.name, &slot.old_page);
  slot.unchanged = slot.old != nullptr && slot.old->type == item.status.type && is_recorded(directory_, slot.position);
  if (const auto failure = results_.failures.find(slot.position); failure != results_.failures.end()) {
    fail(slot, failure->second);
    return;
  }
  try {
    slot.entry = slot.unchanged ? format::copy(*slot.old) : describe(slot.position);
  } catch (const Error& error) {
    if (error.code() != Code::source) throw;
    fail(slot, error);
    return;
  }
  if (slot.entry.is_directory()) describe_directory(slot);
  if (const auto packed = results_.packed_files.find(slot.position); packed != results_.packed_files.end()) {
    adopt(slot, std::move(packed->second));
  }
}

// All but what lies in an open file.
format::Entry GroupPacker::describe(std::size_t position) {
  const auto& item = directory_.items[position];
  auto entry = describe(item);
  if (entry.is_regular()) return entry;
  try {
    entry.attributes = directory_.handle->attributes(item);
  } catch (const Error& error) {
    if (error.code() != Code::source || error.system_errno() == ENOENT) throw;
    tell_no_attributes(position, error);
  }
  return entry;
}

format::Entry GroupPacker::describe(const source::Item& item) const {
  auto entry = directory_.handle->describe(item);
  if (item.status.nlink > 1 && !entry.is_directory()) entry.link_group = link_group(item.status, domain_.link);
  return entry;
}

// It is packaged without them: what else it is matters more, and all below it.
void GroupPacker::tell_no_attributes(std::size_t position, const Error& error) {
  tell_(Problem::Kind::unreadable, directory_.items[position].name, error.happened() + ": packaged without its attributes");
  look_again_at(position);
}

void GroupPacker::look_again_at(std::size_t position) {
  const std::scoped_lock lock(directory_.mutex);
  directory_.incomplete = true;
  directory_.fingerprints[position] = 0;
}

void GroupPacker::describe_directory(Slot& slot) {
  const auto& child = results_.children.at(slot.position);
  slot.entry.directory = child.page;
  slot.entry.directory_files = child.files;
  slot.entry.directory_dirs = child.directories;
  slot.entry.directory_bytes = child.bytes;
}

// Which files must be read, and of the base snapshot what tiny files lie beside them.
void GroupPacker::look_for_files() {
  for (auto& slot : slots_) {
    if (slot.failed || !slot.entry.is_regular()) continue;
    const bool inlined = is_inline(directory_.items[slot.position].status);
    const bool read = !slot.unchanged && !results_.packed_files.contains(slot.position);
    reads_files_ = reads_files_ || read;
    if (slot.unchanged ? slot.entry.content.kind == format::Content::Kind::inlined : inlined) {
      tiny_.push_back(&slot);
    } else if (read) {
      files_.push_back(&slot);
    }
  }
  const auto unchanged = std::ranges::find_if(tiny_, [](const Slot* slot) { return slot->unchanged; });
  if (unchanged != tiny_.end() && !can_reuse_inline_chunk()) load_old_inline(**unchanged);
}

// Files that go into chunks of their own, ordered so that like lies next to like.
void GroupPacker::pack_files() {
  std::ranges::stable_sort(files_, {}, [](const Slot* slot) { return extension(slot->entry.name); });
  for (auto* slot : files_) {
    try {
      adopt(*slot, packer_.pack(*directory_.handle, directory_.items[slot->position]));
    } catch (const Error& error) {
      if (error.code() != Code::source) throw;
      fail(*slot, error);
    }
  }
}

// Tiny files: their bytes joined in name order are the page's inline chunk.
void GroupPacker::pack_inline() {
  if (tiny_.empty()) return;
  if (fits_one_page() && can_reuse_inline_chunk()) {
    reused_ = tiny_.front()->old_page;
    return;
  }
  auto& bytes = inline_bytes_;
  for (auto* slot : tiny_) {
    const std::size_t offset = bytes.size();
    try {
      const auto& item = directory_.items[slot->position];
      if (slot->unchanged) {
        append_old_inline(*slot, bytes);
      } else {
        adopt(*slot, packer_.read_inline(*directory_.handle, item, tree::kLargestInline, bytes));
      }
      slot->entry.content.inline_offset = static_cast<std::uint32_t>(offset);
    } catch (const Error& error) {
      if (error.code() != Code::source) throw;
      bytes.resize(offset);
      fail(*slot, error);
    }
  }
}

bool GroupPacker::can_reuse_inline_chunk() const {
  std::uint64_t offset = 0;
  for (const auto* slot : tiny_) {
    if (!slot->unchanged || slot->old_page != tiny_.front()->old_page || slot->entry.content.inline_offset != offset) {
      return false;
    }
    offset += slot->entry.size;
  }
  return offset == tiny_.front()->old_page->inline_length;
}

// The bytes of the tiny files that the slot's old page has; none, and no page, where they cannot be read.
void GroupPacker::load_old_inline(const Slot& slot) {
  old_inline_page_ = nullptr;
  try {
    const auto chunk = reader_.chunks().read(slot.old_page->inline_chunk, format::BlockRole::inlined, directory_.path);
    if (chunk.size() != slot.old_page->inline_length) throw Error(Code::corrupt, "has the wrong length");
    old_inline_.assign(chunk.begin(), chunk.end());
    old_inline_page_ = slot.old_page;
  } catch (const Error& error) {
    if (!tree::is_unreadable(error)) throw;
  }
}

// From the base snapshot when it can be read, else from the file.
void GroupPacker::append_old_inline(const Slot& slot, ByteBuffer& to) {
  if (old_inline_page_ != slot.old_page) load_old_inline(slot);
  if (old_inline_page_ == slot.old_page) {
    append(to, ByteView(old_inline_).subspan(slot.entry.content.inline_offset, slot.entry.size));
    return;
  }
  const auto& item = directory_.items[slot.position];
  auto again = packer_.read_inline(*directory_.handle, item, slot.entry.size, to);
  if (again.content.kind != format::Content::Kind::inlined || again.status.size != slot.entry.size) {
    throw Error(Code::source, "changed while it was read", item.name);
  }
}

void GroupPacker::adopt(Slot& slot, PackedFile&& packed) {
  const auto& item = directory_.items[slot.position];
  if (!same_version(item.status, packed.status)) {
    slot.entry = describe({item.name, packed.status});
  }
  slot.entry.attributes = std::move(packed.attributes);
  if (packed.no_attributes) tell_no_attributes(slot.position, *packed.no_attributes);
  slot.entry.content = std::move(packed.content);
  slot.entry.sparse = std::move(packed.sparse);
  counts_.bytes_read += packed.bytes_read;
  if (!packed.torn) return;
  tell_(Problem::Kind::changed, item.name, "changed while it was read");
  look_again_at(slot.position);
}

void GroupPacker::fail(Slot& slot, const Error& error) {
  slot.failed = true;
  const auto& item = directory_.items[slot.position];
  tell_(Problem::Kind::unreadable, item.name, error.happened());
  look_again_at(slot.position);
  const std::scoped_lock lock(directory_.mutex);
  directory_.failures.emplace(slot.position, error);
}

void GroupPacker::count(const Slot& slot) {
  if (slot.entry.is_directory()) return;
  ++files_done_;
  // Those that were packed before told their progress then.
  if (slot.entry.is_regular() && !results_.packed_files.contains(slot.position)) bytes_done_ += slot.entry.size;
  if (slot.old == nullptr) {
    ++counts_.files_new;
  } else if (slot.unchanged || format::same_file(slot.entry, *slot.old)) {
    ++counts_.files_unmodified;
  } else {
    ++counts_.files_changed;
  }
}

// Else the pieces of the inline chunk are needed one by one.
bool GroupPacker::fits_one_page() const {
  std::size_t weight = 0;
  for (const auto& slot : slots_) {
    if (!slot.failed) weight += format::entry_weight(slot.entry);
  }
  return weight <= kLargestPage;
}

// One page, unless long attributes make it too heavy.
void GroupPacker::write_pages(std::vector<format::Entry> entries) {
  const auto add_weight = [](std::size_t sum, const format::Entry& entry) { return sum + format::entry_weight(entry); };
  if (std::accumulate(entries.begin(), entries.end(), std::size_t{0}, add_weight) <= kLargestPage) {
    write_page(std::move(entries));
    return;
  }
  std::vector<format::Entry> run;
  std::size_t weight = 0;
  for (auto& entry : entries) {
    const auto more = format::entry_weight(entry);
    if (!run.empty() && weight + more > kLargestPage) {
      write_page(std::exchange(run, {}));
      weight = 0;
    }
    weight += more;
    run.push_back(std::move(entry));
  }
  write_page(std::move(run));
}

void GroupPacker::write_page(std::vector<format::Entry> entries) {
  format::Page page;
  if (reused_ != nullptr) {
    page.inline_chunk = reused_->inline_chunk;
    page.inline_length = reused_->inline_length;
  } else {
    // What failed after it was read has left its bytes behind: only what the entries name is stored.
    ByteBuffer bytes;
    for (auto& entry : entries) {
      if (entry.content.kind != format::Content::Kind::inlined) continue;
      const auto offset = static_cast<std::uint32_t>(bytes.size());
      append(bytes, ByteView(inline_bytes_).subspan(entry.content.inline_offset, entry.size));
      entry.content.inline_offset = offset;
    }
    if (!bytes.empty()) page.inline_chunk = packer_.sink().put(format::BlockRole::inlined, bytes);
    page.inline_length = static_cast<std::uint32_t>(bytes.size());
  }
  page.entries = std::move(entries);
  const auto id = packer_.sink().put(format::BlockRole::page, format::encode_page(page));
  group_.pages.push_back({id, page.entries.size(), page.entries.empty() ? std::string{} : page.entries.front().name});
}

}  // namespace mbu::ingest

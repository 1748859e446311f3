#include "ingest/file_packer.hpp"

#include <algorithm>

namespace mbu::ingest {
namespace {

constexpr std::size_t kLongestInlineMap = 512;  // FORMAT.md §7.2
constexpr std::size_t kPiece = 2U << 20;        // what a worker reads at once
constexpr std::uint64_t kBlockUnit = 512;       // of st_blocks

}  // namespace

os::FileStatus regular_status(const source::OpenFile& file, const std::string& name) {
  auto status = file.status();
  if (status.type != EntryType::regular) throw Error(Code::source, "is no regular file any more", name);
  return status;
}

void take_attributes(const source::OpenFile& file, PackedFile& packed) {
  packed.attributes.clear();
  packed.no_attributes.reset();
  try {
    packed.attributes = file.attributes();
  } catch (const Error& error) {
    if (error.code() != Code::source) throw;
    packed.no_attributes = error;
  }
}

bool same_version(const os::FileStatus& a, const os::FileStatus& b) noexcept {
  return a.size == b.size && a.mtime == b.mtime && a.ctime == b.ctime && a.ino == b.ino;
}

DataStream::DataStream(source::OpenFile& file, const os::FileStatus& status) : file_(&file) {
  if (status.blocks * kBlockUnit < status.size) {
    runs_ = file.data_runs();
    // It may have grown since the look at it that says how long it is.
    std::erase_if(runs_, [&](const auto& run) { return run.offset >= status.size; });
    if (!runs_.empty()) runs_.back().length = std::min(runs_.back().length, status.size - runs_.back().offset);
    sparse_ = runs_.size() != 1 || runs_.front() != format::DataRun{0, status.size};
  } else if (status.size > 0) {
    runs_.push_back({0, status.size});
  }
  starts_.reserve(runs_.size());
  for (const auto& run : runs_) {
    starts_.push_back(length_);
    length_ += run.length;
  }
}

std::size_t DataStream::read_at(MutableBytes to, std::uint64_t position) const {
  std::size_t done = 0;
  while (done < to.size() && position < length_) {
    const auto next = std::ranges::upper_bound(starts_, position);
    const auto i = static_cast<std::size_t>(next - starts_.begin()) - 1;
    const std::uint64_t within = position - starts_[i];
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(to.size() - done, runs_[i].length - within));
    const std::size_t got = file_->read_at(to.subspan(done, wanted), runs_[i].offset + within);
    done += got;
    position += got;
    if (got < wanted) break;
  }
  return done;
}

std::uint64_t DataStream::end_after(std::uint64_t bytes) {
  while (!runs_.empty() && starts_.back() >= bytes) {
    runs_.pop_back();
    starts_.pop_back();
  }
  length_ = runs_.empty() ? 0 : bytes;
  if (runs_.empty()) {
    sparse_ = false;
    return 0;
  }
  runs_.back().length = bytes - starts_.back();
  const std::uint64_t size = runs_.back().offset + runs_.back().length;
  sparse_ = runs_.front() != format::DataRun{0, size};
  return size;
}

std::size_t FilePacker::piece_bytes() const noexcept {
  return std::max<std::size_t>(kPiece, 2 * std::size_t{chunker_.parameters().maximum});
}

std::vector<std::size_t> FilePacker::cut(ByteView bytes, bool stream_ends_here) const {
  std::vector<std::size_t> lengths;
  while (!bytes.empty()) {
    const auto length = chunker_.cut(bytes, stream_ends_here);
    if (length == 0) break;
    lengths.push_back(length);
    bytes = bytes.subspan(length);
  }
  return lengths;
}

FilePacker::Packed FilePacker::pack_stream(const std::function<std::size_t(MutableBytes)>& read, const FileHint& file) {
  ContentBuilder builder;
  const auto space = piece_.resize(piece_bytes());
  std::size_t filled = 0;
  bool ended = false;
  for (;;) {
    while (!ended && filled < space.size()) {
      const std::size_t got = read(space.subspan(filled));
      filled += got;
      ended = got == 0;
    }
    ByteView rest = space.first(filled);
    for (const auto& chunk : sink_->put_file(rest, cut(rest, ended), file)) {
      builder.add(chunk, *sink_);
      rest = rest.subspan(chunk.length);
    }
    std::ranges::copy(rest, space.begin());
    filled = rest.size();
    if (ended) break;
  }
  const std::uint64_t bytes = builder.bytes();
  return {builder.finish(*sink_), bytes};
}

std::unique_ptr<format::SparseMap> FilePacker::pack_map(const DataStream& stream) {
  if (!stream.is_sparse()) return nullptr;
  auto map = std::make_unique<format::SparseMap>();
  map->encoded = format::encode_sparse_map(stream.runs());
  if (map->encoded.size() <= kLongestInlineMap) return map;
  std::size_t position = 0;
  map->stored = pack_stream([&](MutableBytes to) {
                  const std::size_t n = std::min(to.size(), map->encoded.size() - position);
                  std::copy_n(map->encoded.begin() + static_cast<std::ptrdiff_t>(position), n, to.begin());
                  position += n;
                  return n;
                }, {}).content;
  map->encoded.clear();
  return map;
}

PackedFile FilePacker::pack(const source::Directory& directory, const source::Item& item) {
  const auto file = directory.open_file(item);
  PackedFile packed;
  packed.status = regular_status(*file, item.name);
  for (int attempt = 1;; ++attempt) {
    DataStream stream(*file, packed.status);
    std::uint64_t position = 0;
    auto content = pack_stream([&](MutableBytes to) {
      const std::size_t got = stream.read_at(to, position);
      position += got;
      return got;
    }, {item.name, stream.length()});
    packed.bytes_read += content.bytes;
    packed.content = std::move(content.content);
    take_attributes(*file, packed);
    const auto after = regular_status(*file, item.name);
    packed.torn = !same_version(packed.status, after) || content.bytes != stream.length();
    if (!packed.torn || attempt == kReadAttempts) {
      // Shorter than its status says: kept as what could be read, every byte at its offset.
      if (content.bytes != stream.length()) packed.status.size = stream.end_after(content.bytes);
      packed.sparse = pack_map(stream);
      return packed;
    }
    packed.status = after;
  }
}

PackedFile FilePacker::read_inline(const source::Directory& directory, const source::Item& item, std::uint64_t limit,
                                   ByteBuffer& to) {
  const auto file = directory.open_file(item);
  const std::size_t start = to.size();
  PackedFile packed;
  packed.status = item.status;
  for (int attempt = 1; packed.status.size <= limit; ++attempt) {
    // One call for the whole of it: the look afterwards tells whether there is more. Files that the kernel makes up say that they are empty.
    const std::uint64_t wanted = packed.status.size == 0 ? limit + 1 : packed.status.size;
    to.resize(start + static_cast<std::size_t>(wanted));
    const std::size_t got = file->read_at(MutableBytes(to).subspan(start), 0);
    to.resize(start + got);
    packed.bytes_read += got;
    if (got > limit) {
      // Only what the kernel makes up says that it is empty and is not; it need not have an end.
      if (regular_status(*file, item.name).size == 0) throw Error(Code::source, "says that it is empty and holds more than " + std::to_string(limit) + " bytes", item.name);
      break;
    }
    take_attributes(*file, packed);
    const auto after = regular_status(*file, item.name);
    const bool same = same_version(packed.status, after) && got == after.size;
    if (same || attempt == kReadAttempts) {
      packed.torn = !same;
      packed.status = after;
      packed.status.size = got;
      packed.content.kind = got == 0 ? format::Content::Kind::empty : format::Content::Kind::inlined;
      return packed;
    }
    packed.status = after;
  }
  to.resize(start);
  return pack(directory, item);
}

}  // namespace mbu::ingest

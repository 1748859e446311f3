// FilePacker: one file's bytes into chunks, and the chunks' references into a content.
//
// Each worker has one, with buffers that it keeps. A file that changes while it is read is read again, a few times; then it is
// kept as it was read last and reported.
#pragma once

#include <optional>

#include "chunk/chunker.hpp"
#include "format/entry.hpp"
#include "ingest/content_builder.hpp"
#include "source/source.hpp"

namespace mbu::ingest {

// What a file was when it was read.
struct PackedFile {
  os::FileStatus status;
  std::vector<format::Attribute> attributes;
  std::optional<Error> no_attributes;  // why there are none: the bytes matter more
  format::Content content;
  std::unique_ptr<format::SparseMap> sparse;
  bool torn = false;  // it changed at every try
  std::uint64_t bytes_read = 0;
};

// How often a file that changes under the reader is read.
inline constexpr int kReadAttempts = 3;

// What an open file is. Code::source, naming `name`, when it is no regular file.
[[nodiscard]] os::FileStatus regular_status(const source::OpenFile& file, const std::string& name);

// Sets the attributes, or why they cannot be read. Code::source does not leave this.
void take_attributes(const source::OpenFile& file, PackedFile& packed);

// Whether two looks at a file saw the same contents, as far as times and size tell.
[[nodiscard]] bool same_version(const os::FileStatus& a, const os::FileStatus& b) noexcept;

// The data bytes of a file as one stream, holes left out. Reads are by position, so several threads may read at once.
class DataStream {
 public:
  // `file` must outlive it. Asks for the data runs when the file takes less space than its size.
  DataStream(source::OpenFile& file, const os::FileStatus& status);

  [[nodiscard]] std::uint64_t length() const noexcept { return length_; }
  [[nodiscard]] bool is_sparse() const noexcept { return sparse_; }
  [[nodiscard]] const std::vector<format::DataRun>& runs() const noexcept { return runs_; }
  // Fewer bytes than asked for only at the end, which may come early when the file shrinks.
  std::size_t read_at(MutableBytes to, std::uint64_t position) const;
  // From here on the file ends after the first `bytes` of the stream. Its size then.
  std::uint64_t end_after(std::uint64_t bytes);

 private:
  source::OpenFile* file_;
  std::vector<format::DataRun> runs_;
  std::vector<std::uint64_t> starts_;  // of each run within the stream
  std::uint64_t length_ = 0;
  bool sparse_ = false;
};

class FilePacker {
 public:
  FilePacker(chunk::Chunker chunker, ChunkSink& sink) : chunker_(chunker), sink_(&sink) {}

  // The whole of a file that goes into chunks. Code::source when it cannot be read.
  [[nodiscard]] PackedFile pack(const source::Directory& directory, const source::Item& item);

  // The whole of a tiny file, without storing it; its bytes are appended to `to`. A file that has grown beyond `limit` bytes is
  // packed like a larger one, and nothing is appended.
  [[nodiscard]] PackedFile read_inline(const source::Directory& directory, const source::Item& item,
                                       std::uint64_t limit, ByteBuffer& to);

  // Cuts and stores what `read` gives until it gives nothing; its content and number of bytes.
  struct Packed {
    format::Content content;
    std::uint64_t bytes = 0;
  };
  [[nodiscard]] Packed pack_stream(const std::function<std::size_t(MutableBytes)>& read, const FileHint& file);

  // Lengths of the chunks that `bytes` begin with, as far as it does not take more of the stream to tell.
  [[nodiscard]] std::vector<std::size_t> cut(ByteView bytes, bool stream_ends_here) const;

  // The map of a sparse file; null when it is not sparse.
  [[nodiscard]] std::unique_ptr<format::SparseMap> pack_map(const DataStream& stream);

  [[nodiscard]] ChunkSink& sink() noexcept { return *sink_; }
  // How much of a stream to cut() at once, in bytes.
  [[nodiscard]] std::size_t piece_bytes() const noexcept;

 private:
  chunk::Chunker chunker_;
  ChunkSink* sink_;
  Scratch piece_;
};

}  // namespace mbu::ingest

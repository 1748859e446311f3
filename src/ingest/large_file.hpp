// LargeFile: one big file packed by many workers at once, with the very chunks that one worker would make.
//
// Where a chunk ends depends on where it starts, so cutting cannot be split; but cutting runs at several GB/s, and what
// follows (hash, compress, encrypt, verify) does not. So a worker takes the cursor, reads and cuts the next piece, gives the
// cursor on, and then stores its chunks; references are put in order as pieces come back.
#pragma once

#include <map>
#include <mutex>

#include "ingest/file_packer.hpp"

namespace mbu::ingest {

class LargeFile {
 public:
  // Opens it. Code::source when that fails. `workers`: how many will call work() once.
  LargeFile(const source::Directory& directory, const source::Item& item, unsigned workers);

  // Takes pieces until the file ends. True for the last of the workers to return: the file is then finished and result() may be
  // called. Code::source errors are kept for result(). `progress` is told the bytes of each piece.
  [[nodiscard]] bool work(FilePacker& packer, const std::function<void(std::uint64_t)>& progress);

  // The file, or the error that reading it met. When it changed while it was read: nothing, and all workers must work() again.
  [[nodiscard]] std::optional<PackedFile> result(FilePacker& packer);

 private:
  struct Piece {
    std::uint64_t number = 0;
    Scratch bytes;
    std::vector<std::size_t> cuts;  // lengths of the chunks in it
  };
  [[nodiscard]] bool take(const FilePacker& packer, Piece& piece);
  void give_back(FilePacker& packer, std::uint64_t number, std::vector<format::ChunkRef> chunks);
  void restart();

  std::unique_ptr<source::OpenFile> file_;
  std::string name_;
  unsigned workers_;
  os::FileStatus status_;
  std::unique_ptr<DataStream> stream_;
  int attempt_ = 1;
  std::uint64_t bytes_read_ = 0;

  std::mutex cursor_mutex_;  // guards what take() uses
  std::uint64_t position_ = 0;
  std::uint64_t next_number_ = 0;
  bool ended_ = false;
  std::optional<Error> error_;

  std::mutex result_mutex_;  // guards what give_back() uses
  std::unique_ptr<ContentBuilder> builder_;
  std::uint64_t next_in_order_ = 0;
  std::map<std::uint64_t, std::vector<format::ChunkRef>> early_;
  unsigned working_ = 0;
};

}  // namespace mbu::ingest

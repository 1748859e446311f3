#include "ingest/large_file.hpp"

#include <numeric>

namespace mbu::ingest {

LargeFile::LargeFile(const source::Directory& directory, const source::Item& item, unsigned workers)
    : file_(directory.open_file(item)), name_(item.name), workers_(workers), status_(regular_status(*file_, item.name)) {
  restart();
}

void LargeFile::restart() {
  stream_ = std::make_unique<DataStream>(*file_, status_);
  builder_ = std::make_unique<ContentBuilder>();
  position_ = 0;
  next_number_ = 0;
  next_in_order_ = 0;
  ended_ = false;
  early_.clear();
  working_ = workers_;
}

// Reads and cuts the next piece; false when there is none.
bool LargeFile::take(const FilePacker& packer, Piece& piece) {
  const std::scoped_lock lock(cursor_mutex_);
  if (ended_) return false;
  const auto wanted = packer.piece_bytes();
  try {
    piece.bytes.resize(stream_->read_at(piece.bytes.resize(wanted), position_));
  } catch (const Error& error) {
    if (error.code() != Code::source) throw;
    error_ = error;
    ended_ = true;
    return false;
  }
  ended_ = piece.bytes.size() < wanted;
  piece.number = next_number_++;
  piece.cuts = packer.cut(piece.bytes.view(), ended_);
  const auto length = std::accumulate(piece.cuts.begin(), piece.cuts.end(), std::size_t{0});
  position_ += length;
  bytes_read_ += length;
  return true;
}

void LargeFile::give_back(FilePacker& packer, std::uint64_t number, std::vector<format::ChunkRef> chunks) {
  const std::scoped_lock lock(result_mutex_);
  early_.emplace(number, std::move(chunks));
  for (auto next = early_.begin(); next != early_.end() && next->first == next_in_order_; next = early_.begin()) {
    for (const auto& chunk : next->second) builder_->add(chunk, packer.sink());
    early_.erase(next);
    ++next_in_order_;
  }
}

bool LargeFile::work(FilePacker& packer, const std::function<void(std::uint64_t)>& progress) {
  Piece piece;
  while (take(packer, piece)) {
    auto chunks = packer.sink().put_file(piece.bytes.view(), piece.cuts, {name_, stream_->length()});
    progress(std::accumulate(piece.cuts.begin(), piece.cuts.end(), std::uint64_t{0}));
    give_back(packer, piece.number, std::move(chunks));
  }
  const std::scoped_lock lock(result_mutex_);
  return --working_ == 0;
}

std::optional<PackedFile> LargeFile::result(FilePacker& packer) {
  if (error_) throw *error_;
  const auto after = file_->status();
  const std::uint64_t packed_bytes = builder_->bytes();
  const bool same = same_version(status_, after) && packed_bytes == stream_->length();
  if (!same && attempt_ < kReadAttempts) {
    ++attempt_;
    status_ = after;
    restart();
    return std::nullopt;
  }
  PackedFile packed;
  packed.status = status_;
  packed.torn = !same;
  packed.bytes_read = bytes_read_;
  packed.content = builder_->finish(packer.sink());
  // Shorter than its status says: kept as what could be read, every byte at its offset.
  if (packed_bytes != stream_->length()) packed.status.size = stream_->end_after(packed_bytes);
  packed.sparse = packer.pack_map(*stream_);
  take_attributes(*file_, packed);
  return packed;
}

}  // namespace mbu::ingest

#include "ingest/large_file.hpp"

namespace mbu::ingest {

LargeFile::LargeFile(const source::Directory& directory, const source::Item& item, unsigned workers)
    : file_(directory.open_file(item)), workers_(workers), status_(file_->status()) {
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
bool LargeFile::take(FilePacker& packer, Piece& piece) {
  const std::scoped_lock lock(cursor_mutex_);
  if (ended_) return false;
  piece.bytes.resize(FilePacker::kPiece);
  try {
    piece.bytes.resize(stream_->read_at(piece.bytes, position_));
  } catch (const Error& error) {
    if (error.code() != Code::source) throw;
    error_ = error;
    ended_ = true;
    return false;
  }
  ended_ = piece.bytes.size() < FilePacker::kPiece;
  piece.number = next_number_++;
  piece.cuts.clear();
  std::size_t cut = 0;
  while (cut < piece.bytes.size() &&
         (ended_ || piece.bytes.size() - cut >= packer.chunker().parameters().maximum)) {
    piece.cuts.push_back(packer.chunker().cut(ByteView(piece.bytes).subspan(cut)));
    cut += piece.cuts.back();
  }
  position_ += cut;
  bytes_read_ += cut;
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
    std::vector<format::ChunkRef> chunks;
    chunks.reserve(piece.cuts.size());
    ByteView rest = piece.bytes;
    for (const auto length : piece.cuts) {
      const auto id = packer.sink().put(format::BlockRole::data, rest.first(length));
      chunks.push_back({id, static_cast<std::uint32_t>(length)});
      rest = rest.subspan(length);
    }
    progress(piece.bytes.size() - rest.size());
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
  packed.attributes = file_->attributes();
  return packed;
}

}  // namespace mbu::ingest

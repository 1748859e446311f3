#include "ops/restore/comparer.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "ops/restore/content_plan.hpp"
#include "repo/block_codec.hpp"

namespace mbu::ops {
namespace {

using format::BlockRole;

constexpr std::size_t kZeroPiece = 256U << 10;

}  // namespace

bool Comparer::same(int fd, const FileTask& task, os::Blame blame) {
  const auto runs = reader_.data_runs(task.entry, task.path());
  const bool inlined = task.entry.content.kind == format::Content::Kind::inlined;
  if (!(inlined ? same_inlined(fd, task, runs, blame) : same_chunks(fd, task, runs, blame))) return false;
  std::uint64_t end = 0;
  for (const auto& run : runs) {
    if (!zeros_between(fd, end, run.offset, blame)) return false;
    end = run.offset + run.length;
  }
  return zeros_between(fd, end, task.entry.size, blame);
}

bool Comparer::same_chunks(int fd, const FileTask& task, const std::vector<format::DataRun>& runs, os::Blame blame) {
  const auto path = task.path();
  RunCursor cursor(runs);
  bool same = true;
  reader_.for_each_chunk(task.entry.content, path, [&](const format::ChunkRef& chunk) {
    context_.interrupt.check();
    if (!same) return;
    buffer_.resize(chunk.length);
    const bool fits = cursor.advance(chunk.length, [&](std::uint64_t skip, std::uint64_t part, std::uint64_t offset) {
      const auto to = MutableBytes(buffer_).subspan(skip, part);
      same = same && os::read_full_at(fd, to, offset, blame) == to.size();
    });
    if (!fits) throw Error(Code::corrupt, "its chunks do not add up to its size", path);
    same = same && is_stored_as(chunk.id, buffer_);
  });
  if (same && !cursor.at_end()) throw Error(Code::corrupt, "its chunks do not add up to its size", path);
  return same;
}

bool Comparer::is_stored_as(const ChunkId& id, ByteView bytes) const {
  if (const auto location = index_.find(id)) {
    return repo::is_chunk(context_.vault, *index_.pack(location->pack), BlockRole::data, bytes, id);
  }
  return repo::chunk_id(context_.vault.keyring().own_domain(), BlockRole::data, bytes) == id;
}

bool Comparer::same_inlined(int fd, const FileTask& task, const std::vector<format::DataRun>& runs, os::Blame blame) {
  const auto path = task.path();
  const auto chunk = reader_.chunks().read(task.inline_chunk, BlockRole::inlined, path);
  std::uint64_t at = task.entry.content.inline_offset;
  for (const auto& run : runs) {
    if (at > chunk.size() || run.length > chunk.size() - at) {
      throw Error(Code::corrupt, "its bytes are not in its page's chunk", path);
    }
    buffer_.resize(run.length);
    if (os::read_full_at(fd, buffer_, run.offset, blame) != buffer_.size()) return false;
    if (!std::ranges::equal(buffer_, chunk.subspan(at, run.length))) return false;
    at += run.length;
  }
  return true;
}

bool Comparer::zeros_between(int fd, std::uint64_t begin, std::uint64_t end, os::Blame blame) {
  while (begin < end) {
    context_.interrupt.check();
    const off_t data = ::lseek(fd, static_cast<off_t>(begin), SEEK_DATA);
    if (data < 0) {
      if (errno == ENXIO) return true;  // only hole from here on
      throw os::system_error(blame, "find the holes", errno);
    }
    begin = static_cast<std::uint64_t>(data);
    if (begin >= end) return true;
    buffer_.resize(std::min<std::uint64_t>(end - begin, kZeroPiece));
    if (os::read_full_at(fd, buffer_, begin, blame) != buffer_.size()) return false;
    if (std::ranges::any_of(buffer_, [](std::uint8_t byte) { return byte != 0; })) return false;
    begin += buffer_.size();
  }
  return true;
}

}  // namespace mbu::ops

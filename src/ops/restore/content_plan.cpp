#include "ops/restore/content_plan.hpp"

#include <algorithm>

#include "ops/restore/run.hpp"

namespace mbu::ops {
namespace {

using format::BlockRole;
using format::Content;

class Planner {
 public:
  Planner(FileTask& task, tree::TreeReader& reader, const repo::ChunkIndex& index, RestorePlan& plan,
          const std::function<void()>& drain)
      : task_(task), reader_(reader), index_(index), plan_(plan), drain_(drain), path_(task.path()),
        cursor_(reader.data_runs(task.entry, path_)) {}

  void run() {
    const auto& content = task_.entry.content;
    if (content.kind == Content::Kind::inlined) {
      plan_inlined();
    } else {
      reader_.for_each_chunk(content, path_, [&](const format::ChunkRef& chunk) {
        add(chunk, BlockRole::data, 0, chunk.length);
      });
    }
    if (!cursor_.at_end()) throw Error(Code::corrupt, "its chunks do not add up to its size", path_);
  }

 private:
  void plan_inlined() {
    std::uint64_t length = 0;
    for (const auto& run : reader_.data_runs(task_.entry, path_)) length += run.length;
    add({task_.inline_chunk, task_.inline_length}, BlockRole::inlined, task_.entry.content.inline_offset, length);
  }

  // The `length` bytes of the chunk from `begin` on are next in the file.
  void add(const format::ChunkRef& chunk, BlockRole role, std::uint32_t begin, std::uint64_t length) {
    if (length > chunk.length || begin > chunk.length - length) {
      throw Error(Code::corrupt, "a chunk of it has the wrong length", path_);
    }
    auto location = index_.find(chunk.id);
    if (!location || location->length != chunk.length) location = repo::Location{kNowhere, 0, 0, chunk.length};
    const bool fits = cursor_.advance(length, [&](std::uint64_t skip, std::uint64_t part, std::uint64_t offset) {
      if (plan_.full()) drain_();
      ++task_.open_parts;
      plan_.add({*location, chunk.id, role, static_cast<std::uint32_t>(begin + skip), static_cast<std::uint32_t>(part),
                 offset, &task_, task_.number});
    });
    if (!fits) throw Error(Code::corrupt, "its chunks do not add up to its size", path_);
  }

  FileTask& task_;
  tree::TreeReader& reader_;
  const repo::ChunkIndex& index_;
  RestorePlan& plan_;
  const std::function<void()>& drain_;
  std::string path_;
  RunCursor cursor_;
};

}  // namespace

void plan_content(FileTask& task, tree::TreeReader& reader, const repo::ChunkIndex& index, RestorePlan& plan,
                  const std::function<void()>& drain) {
  try {
    Planner(task, reader, index, plan, drain).run();
  } catch (const Error& error) {
    if (!is_damage(error)) throw;
    const std::scoped_lock lock(task.mutex);
    if (!task.damage) task.damage = error;
  }
  if (--task.open_parts == 0) plan.add_written(&task);
}

}  // namespace mbu::ops

// Batch: some thousand files on their way into the target; private to restore/.
//
// The walk hands in what it comes across; when enough has gathered, or at the end, it is all compared, written, linked, verified,
// and then the directories left behind get their metadata, deepest first. So memory does not grow with the tree.
#pragma once

#include <unordered_map>

#include "ops/restore/comparer.hpp"
#include "ops/restore/file_task.hpp"
#include "ops/restore/specials.hpp"
#include "ops/restore/writer.hpp"

namespace mbu::ops {

// One thread; works with several itself.
class Batch {
 public:
  explicit Batch(Run& run);
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // A regular file.
  void add_file(std::unique_ptr<FileTask> task);
  // A directory that the walk has left: all that is in it was added before.
  void add_directory(std::shared_ptr<Directory> directory, format::Entry entry, MetadataSetter::Time time);
  // What is neither a regular file nor a directory: done at once.
  void add_special(const FileTask& task) { specials_.restore(task); }
  // Whether the entry is a further name of a file that is there already: then it is taken care of.
  bool add_link(std::unique_ptr<FileTask>& task);

  // Does all that was added.
  void flush();
  // After the last flush.
  void finish() { writer_.set_late_flags(); }

 private:
  void make_room(const format::Entry& entry);
  void take(std::unique_ptr<FileTask> task);
  void plan(FileTask& task);
  void keep(FileTask& task, const std::string& message);
  void compare();
  void compare_one(Comparer& comparer, FileTask& task);
  void settle(FileTask& task);
  void use_existing(FileTask& task, int fd, const os::FileStatus& status, os::Blame blame);
  void make_links();
  void make_link(std::unique_ptr<FileTask> task);
  [[nodiscard]] bool is_version_of(const LinkGroup& group, const format::Entry& entry);
  [[nodiscard]] bool link_now(FileTask& task, const LinkGroup& group);
  [[nodiscard]] bool try_link(const FileTask& task, const LinkGroup& group);
  void link_first_as(int directory, const std::string& name, const LinkGroup& group, os::Blame blame);
  [[nodiscard]] bool unlock_first(int directory, const LinkGroup& group, os::Blame blame);
  void verify();
  void verify_one(Comparer& comparer, FileTask& task);
  void finish_directories();

  struct LeftDirectory {
    std::shared_ptr<Directory> directory;
    format::Entry entry;
    MetadataSetter::Time time;
  };

  Run& run_;
  Writer writer_;
  Specials specials_;
  tree::TreeReader reader_;  // of chunk lists and sparse maps
  std::vector<std::unique_ptr<Comparer>> comparers_;
  RestorePlan plan_;
  std::vector<std::unique_ptr<FileTask>> tasks_;
  std::vector<FileTask*> to_compare_;
  std::vector<std::unique_ptr<FileTask>> links_;
  std::vector<LeftDirectory> directories_;
  std::unordered_map<std::uint64_t, std::unique_ptr<LinkGroup>> groups_;
  std::size_t weight_ = 0;  // bytes of entries held
  std::uint64_t next_number_ = 0;
};

}  // namespace mbu::ops

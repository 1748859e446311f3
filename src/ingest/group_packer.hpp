// GroupPacker: a run of a directory's entries into a leaf page, reading the files that must be read; private to ingest/.
// It is made when all that the group waited for is there, and reads then what it needs of the base snapshot.
#pragma once

#include "ingest/directory_task.hpp"
#include "ingest/packager.hpp"
#include "tree/reader.hpp"

namespace mbu::ingest {

// Whether a file goes into its page's inline chunk.
[[nodiscard]] bool is_inline(const os::FileStatus& status) noexcept;

// What the base snapshot has for the names of a group. Empty when there is no base or its pages cannot be read.
class OldEntries {
 public:
  OldEntries(const DirectoryTask& directory, const Group& group, tree::TreeReader& reader);
  // The entry of that name, null when there is none; `page`: set to the leaf it lies in.
  [[nodiscard]] const format::Entry* find(const std::string& name, const format::Page** page = nullptr) const;

 private:
  std::vector<format::Page> pages_;
};

class GroupPacker {
 public:
  using Tell = std::function<void(Problem::Kind, const std::string& name, const std::string& message)>;
  // References must outlive it.
  GroupPacker(DirectoryTask& directory, Group& group, FilePacker& packer, tree::TreeReader& reader,
              const keys::DomainKeys& domain, Tell tell);

  // Whether run() will read a file: what others wait for should not be held meanwhile.
  [[nodiscard]] bool reads_files() const noexcept { return reads_files_; }
  // Fills group.pages. Once.
  void run();

  [[nodiscard]] const PackageCounts& counts() const noexcept { return counts_; }
  [[nodiscard]] std::uint64_t files_done() const noexcept { return files_done_; }
  [[nodiscard]] std::uint64_t bytes_done() const noexcept { return bytes_done_; }

 private:
  // What the group waited for, by position.
  struct Results {
    std::map<std::size_t, DirectoryResult> children;
    std::map<std::size_t, PackedFile> packed_files;
    std::map<std::size_t, Error> failures;
  };
  // One item on its way to an entry.
  struct Slot {
    std::size_t position;  // among the directory's items
    format::Entry entry;
    const format::Entry* old = nullptr;
    const format::Page* old_page = nullptr;
    bool unchanged = false;  // as recorded: the old entry is right
    bool failed = false;     // not in the page
  };

  void take_results();
  void prepare(Slot& slot);
  void look_for_files();
  [[nodiscard]] format::Entry describe(std::size_t position);
  [[nodiscard]] format::Entry describe(const source::Item& item) const;
  void tell_no_attributes(std::size_t position, const Error& error);
  void look_again_at(std::size_t position);
  void describe_directory(Slot& slot);
  void pack_files();
  void pack_inline();
  [[nodiscard]] bool fits_one_page() const;
  [[nodiscard]] bool can_reuse_inline_chunk() const;
  void load_old_inline(const Slot& slot);
  void append_old_inline(const Slot& slot, ByteBuffer& to);
  void adopt(Slot& slot, PackedFile&& packed);
  void fail(Slot& slot, const Error& error);
  void count(const Slot& slot);
  void write_pages(std::vector<format::Entry> entries);
  void write_page(std::vector<format::Entry> entries);

  DirectoryTask& directory_;
  Group& group_;
  FilePacker& packer_;
  tree::TreeReader& reader_;
  const keys::DomainKeys& domain_;
  Tell tell_;
  OldEntries old_;
  Results results_;
  std::vector<Slot> slots_;
  std::vector<Slot*> files_, tiny_;       // to be read into chunks of their own; what lies in the inline chunk
  bool reads_files_ = false;
  ByteBuffer inline_bytes_;               // of tiny files, in name order
  ByteBuffer old_inline_;                 // the tiny files of one old page, which neighbours share
  const format::Page* old_inline_page_ = nullptr;
  const format::Page* reused_ = nullptr;  // whose inline chunk is right as it is; then there is one page
  PackageCounts counts_;
  std::uint64_t files_done_ = 0, bytes_done_ = 0;
};

}  // namespace mbu::ingest

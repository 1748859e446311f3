// Everything is opened relative to the descriptor of the directory it is in and never through a symlink, so that a path may be longer
// than PATH_MAX and a directory that is swapped meanwhile leads nowhere else. Above the paths asked for, symlinks are followed,
// as the user's shell would.
#include "source/local_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <utility>

#include "os/attributes.hpp"
#include "os/listing.hpp"
#include "source/gitignore.hpp"

namespace mbu::source {
namespace {

using os::FileStatus;

// The paths asked for as a tree of their components.
struct PathNode {
  bool whole = false;  // asked for: everything below is in
  std::map<std::string, std::unique_ptr<PathNode>> children;
};

using DeviceInode = std::pair<std::uint64_t, std::uint64_t>;

// What all directories of a source share.
struct Shared {
  const Selector* selector;
  PathNode root;
  std::set<DeviceInode> own;  // never entered
};

std::vector<format::Attribute> to_attributes(std::vector<os::AttributePair> pairs) {
  std::vector<format::Attribute> attributes;
  attributes.reserve(pairs.size());
  for (auto& [name, value] : pairs) attributes.push_back({std::move(name), std::move(value)});
  return attributes;
}

class LocalFile final : public OpenFile {
 public:
  LocalFile(os::Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  FileStatus status() const override { return os::status_of(fd_.get(), blame()); }
  std::size_t read_at(MutableBytes to, std::uint64_t offset) const override {
    return os::read_full_at(fd_.get(), to, offset, blame());
  }
  std::vector<format::Attribute> attributes() const override {
    return to_attributes(os::read_attributes(fd_.get(), blame()));
  }
  std::vector<format::DataRun> data_runs() const override {
    std::vector<format::DataRun> runs;
    for (off_t at = 0;;) {
      const off_t data = ::lseek(fd_.get(), at, SEEK_DATA);
      if (data < 0) {
        if (errno == ENXIO) return runs;  // no data from here on
        throw os::system_error(blame(), "find the holes", errno);
      }
      const off_t hole = ::lseek(fd_.get(), data, SEEK_HOLE);
      if (hole < 0) {
        if (errno == ENXIO) return runs;  // it was cut short meanwhile
        throw os::system_error(blame(), "find the holes", errno);
      }
      if (data < at || hole <= data) throw Error(Code::source, "does not tell where its holes are", path_);
      const auto length = static_cast<std::uint64_t>(hole - data);
      if (data == at && !runs.empty()) {
        runs.back().length += length;  // somebody filled the hole meanwhile
      } else {
        runs.push_back({static_cast<std::uint64_t>(data), length});
      }
      at = hole;
    }
  }

 private:
  os::Blame blame() const { return {Code::source, path_}; }
  os::Fd fd_;
  std::string path_;
};

class LocalDirectory final : public Directory {
 public:
  // `node`: of this directory when it is on the way to a path asked for, else null. `whole`: it is one of these, or within
  // one. `device`: that of the path asked for.
  LocalDirectory(std::shared_ptr<const Shared> shared, const PathNode* node, bool whole, os::Fd fd, std::string path,
                 std::uint64_t device, std::shared_ptr<const IgnoreRules> ignored)
      : shared_(std::move(shared)),
        node_(node),
        whole_(whole),
        fd_(std::move(fd)),
        path_(std::move(path)),
        device_(device),
        ignored_(std::move(ignored)) {}

  std::vector<Item> list(const OnError& on_error) override {
    return whole_ ? list_all(on_error) : list_way(on_error);
  }

  std::optional<Item> find(const std::string& name) override {
    const OnError fail = [](const std::string&, const Error& error) { throw error; };
    if (!whole_) {
      for (auto& item : list_way(fail)) {
        if (item.name == name) return std::move(item);
      }
      return std::nullopt;
    }
    if (shared_->selector->gitignore() && !std::exchange(gitignore_read_, true)) {
      const auto there = os::status_at(fd_.get(), ".gitignore", os::Links::keep, {Code::source, ".gitignore"});
      if (there) read_gitignore(fail);
    }
    std::vector<Item> items;
    add(items, name, os::Links::keep, fail);
    if (items.empty() || is_left_out(items.front())) return std::nullopt;
    return std::move(items.front());
  }

  std::shared_ptr<Directory> open_directory(const Item& item) const override {
    const auto path = path_of(item.name);
    const PathNode* const child = child_of(item.name);
    const bool asked = child != nullptr && child->whole;
    auto fd = open(item, O_RDONLY | O_DIRECTORY | (is_above(item.name) ? 0 : O_NOFOLLOW));
    // A path asked for counts from its own file system, also one mounted within another path asked for.
    const std::uint64_t device = asked ? item.status.dev : device_;
    return std::make_shared<LocalDirectory>(shared_, child, whole_ || asked, std::move(fd), path, device, ignored_);
  }

  std::unique_ptr<OpenFile> open_file(const Item& item) const override {
    // A FIFO that took the file's place must not block; it cannot be read by position either.
    return std::make_unique<LocalFile>(open(item, O_RDONLY | O_NOFOLLOW | O_NONBLOCK), path_of(item.name));
  }

  format::Entry describe(const Item& item) const override {
    const auto& s = item.status;
    const os::Blame blame{Code::source, item.name};
    format::Entry entry;
    entry.name = item.name;
    entry.type = s.type;
    entry.mode = s.mode;
    entry.uid = s.uid;
    entry.gid = s.gid;
    entry.user = os::user_name(s.uid);
    entry.group = os::group_name(s.gid);
    if (is_above(item.name)) return entry;
    entry.mtime = s.mtime;
    entry.btime = s.btime;
    entry.flags = s.flags;
    entry.rdev = s.rdev;
    if (s.type == EntryType::regular) entry.size = s.size;
    if (s.type == EntryType::symlink) {
      entry.target = os::read_link_at(fd_.get(), item.name, blame);
      entry.size = entry.target.size();
    }
    return entry;
  }

  std::vector<format::Attribute> attributes(const Item& item) const override {
    if (is_above(item.name)) return {};
    const bool directory = item.status.type == EntryType::directory;
    return to_attributes(os::read_attributes_at(fd_.get(), item.name, directory, {Code::source, item.name}));
  }

 private:
  std::string path_of(const std::string& name) const { return path_ == "/" ? path_ + name : path_ + '/' + name; }

  const PathNode* child_of(const std::string& name) const {
    if (node_ == nullptr) return nullptr;
    const auto found = node_->children.find(name);
    return found == node_->children.end() ? nullptr : found->second.get();
  }
  bool is_above(const std::string& name) const {
    const PathNode* const child = child_of(name);
    return !whole_ && child != nullptr && !child->whole;
  }

  // Reading leaves no trace in access times where the kernel lets us.
  os::Fd open(const Item& item, int flags) const {
    static const uid_t self = ::geteuid();
    const auto path = path_of(item.name);
    if (self == 0 || item.status.uid == self) {
      os::Fd fd(::openat(fd_.get(), item.name.c_str(), flags | O_NOATIME | O_CLOEXEC));
      if (fd || errno != EPERM) {
        if (!fd) throw os::system_error({Code::source, path}, "open", errno);
        return fd;
      }
    }
    return os::open_at(fd_.get(), item.name.c_str(), flags, 0, {Code::source, path});
  }

  // Only the next steps to the paths asked for.
  std::vector<Item> list_way(const OnError& on_error) {
    const auto& selector = *shared_->selector;
    const auto tag = selector.tag_around(fd_.get());
    std::vector<Item> items;
    for (const auto& [name, child] : node_->children) {
      add(items, name, child->whole ? os::Links::keep : os::Links::follow, on_error);
      if (items.empty() || items.back().name != name) continue;
      auto& status = items.back().status;
      if (child->whole) {
        const bool too_large = status.type == EntryType::regular && selector.too_large(status.size);
        const bool marked = tag && *tag != name;
        if (selector.excludes(path_of(name), status.type == EntryType::directory) || too_large || marked || is_own(status)) {
          items.pop_back();
        }
        continue;
      }
      if (status.type != EntryType::directory) {
        on_error(name, Error(Code::source, "is no directory any more", name));
        items.pop_back();
        continue;
      }
      status.mtime = status.ctime = {};  // what else is in there is none of our business
      status.btime.reset();
    }
    return items;
  }

  std::vector<Item> list_all(const OnError& on_error) {
    const auto& selector = *shared_->selector;
    const auto self = os::status_of(fd_.get(), {Code::source, path_});
    if (selector.one_file_system() && self.dev != device_) return {};  // the mount point itself is kept
    auto names = os::list_names(fd_.get(), {Code::source, path_});
    if (auto tag = selector.tag_of(fd_.get(), names)) names = {*tag};
    if (selector.gitignore() && std::ranges::binary_search(names, ".gitignore") && !std::exchange(gitignore_read_, true)) {
      read_gitignore(on_error);
    }
    std::vector<Item> items;
    items.reserve(names.size());
    for (const auto& name : names) {
      add(items, name, os::Links::keep, on_error);
      if (!items.empty() && items.back().name == name && is_left_out(items.back())) items.pop_back();
    }
    return items;
  }

  bool is_left_out(const Item& item) const {
    const auto path = path_of(item.name);
    const bool directory = item.status.type == EntryType::directory;
    const auto& selector = *shared_->selector;
    if (selector.excludes(path, directory) || (directory && is_own(item.status))) return true;
    if (item.status.type == EntryType::regular && selector.too_large(item.status.size)) return true;
    // Where a directory is mounted, the directory itself is kept.
    if (selector.one_file_system() && !directory && item.status.dev != device_ && item.status.may_be_mounted) return true;
    return ignored_ && ignored_->ignores(path, directory);
  }

  bool is_own(const FileStatus& status) const { return shared_->own.contains({status.dev, status.ino}); }

  void read_gitignore(const OnError& on_error) {
    constexpr std::size_t kLargest = 1U << 20;
    try {
      const auto fd = os::open_at(fd_.get(), ".gitignore", O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, {Code::source, ".gitignore"});
      ByteBuffer bytes(kLargest);
      bytes.resize(os::read_full(fd.get(), bytes, {Code::source, ".gitignore"}));
      ignored_ = IgnoreRules::parse(as_text(bytes), path_, ignored_);
    } catch (const Error& error) {
      if (error.code() != Code::source) throw;
      on_error(".gitignore", error);
    }
  }

  void add(std::vector<Item>& items, const std::string& name, os::Links links, const OnError& on_error) const {
    try {
      auto status = os::status_at(fd_.get(), name.c_str(), links, {Code::source, name});
      if (status) {
        items.push_back({name, *status});
      } else if (!whole_) {
        on_error(name, Error(Code::source, "is not there any more", name));
      }
    } catch (const Error& error) {
      if (error.code() != Code::source) throw;
      on_error(name, error);
    }
  }

  std::shared_ptr<const Shared> shared_;
  const PathNode* node_;
  bool whole_;
  os::Fd fd_;
  std::string path_;
  std::uint64_t device_;
  std::shared_ptr<const IgnoreRules> ignored_;
  bool gitignore_read_ = false;
};

class LocalSource final : public Source {
 public:
  explicit LocalSource(std::shared_ptr<const Shared> shared) : shared_(std::move(shared)) {}
  std::shared_ptr<Directory> root() override {
    const os::Blame blame{Code::source, "/"};
    auto fd = os::open_at(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0, blame);
    const auto device = os::status_of(fd.get(), blame).dev;
    return std::make_shared<LocalDirectory>(shared_, &shared_->root, shared_->root.whole, std::move(fd), "/", device, nullptr);
  }

 private:
  std::shared_ptr<const Shared> shared_;
};

void add_path(PathNode& root, const std::string& path) {
  PathNode* node = &root;
  for (std::size_t start = 0; start < path.size();) {
    const auto end = std::min(path.find('/', start), path.size());
    const auto name = path.substr(start, end - start);
    start = end + 1;
    if (name.empty()) continue;
    auto& child = node->children[name];
    if (!child) child = std::make_unique<PathNode>();
    node = child.get();
  }
  node->whole = true;
}

}  // namespace

std::unique_ptr<Source> open_local_source(const std::vector<std::string>& paths, const Selector& selector,
                                          const std::vector<std::string>& own_directories) {
  auto shared = std::make_shared<Shared>();
  shared->selector = &selector;
  for (const auto& path : paths) add_path(shared->root, path);
  for (const auto& path : own_directories) {
    try {
      const auto status = os::status_at(AT_FDCWD, path.c_str(), os::Links::follow, {Code::failed, path});
      if (status && status->type == EntryType::directory) shared->own.emplace(status->dev, status->ino);
    } catch (const Error&) {
      // What cannot be looked at is not there to be walked into; its path is left out by the selector all the same.
    }
  }
  return std::make_unique<LocalSource>(std::move(shared));
}

}  // namespace mbu::source

#include "store/directory_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>

#include "os/file.hpp"

namespace mbu::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporary = ".mbu-tmp-";
constexpr std::size_t kLargestConfig = 64 * 1024;
constexpr mode_t kFolderMode = 0700;
constexpr mode_t kObjectMode = 0600;

// Calls `visit` with each name in the directory; nothing when it does not exist.
template <class Visit>
void for_each_name(const std::string& directory, Visit visit) {
  std::error_code error;
  fs::directory_iterator names(directory, error);
  while (!error && names != fs::directory_iterator()) {
    visit(names->path().filename().string());
    names.increment(error);
  }
  if (error && error.value() != ENOENT) {
    throw os::system_error({Code::store, directory}, "list", error.value());
  }
}

std::vector<std::string> shards(const std::string& folder) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::vector<std::string> all;
  for (char high : std::string_view(kDigits, 16)) {
    for (char low : std::string_view(kDigits, 16)) all.push_back(folder + '/' + high + low);
  }
  return all;
}

// Whether a failure is of one object, and others may well be whole: bad sectors, a file system's own checksums, what is no file.
bool is_of_one_object(int number) noexcept {
  return number == EIO || number == EISDIR || number == ELOOP || number == ENXIO || number == EUCLEAN || number == EBADMSG;
}

// Runs `work` on one object: what is wrong with that alone is damage and no failure of the store.
template <class Work>
auto on_object(Work work) {
  try {
    return work();
  } catch (const Error& error) {
    throw error.code() == Code::store && is_of_one_object(error.system_errno()) ? error.as(Code::corrupt) : error;
  }
}

// The object at `path`; what is not there is Code::not_found. Whatever else may have its name, opening it waits for nobody.
os::Fd open_object(const std::string& path, const std::string& name) {
  auto fd = os::open_if_exists(AT_FDCWD, path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY, {Code::store, name});
  if (!fd) throw Error(Code::not_found, "is missing", name);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw os::system_error({Code::store, name}, "look at", errno);
  if (!S_ISREG(status.st_mode)) throw Error(Code::corrupt, "is damaged: it is no file", name);
  return fd;
}

std::uint64_t size_of(int fd, const std::string& name) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) throw os::system_error({Code::store, name}, "look at", errno);
  return static_cast<std::uint64_t>(status.st_size);
}

// A folder of the repository. Carriers leave empty ones behind. What is not there may be missing since carriers leave empty folders out, or
// since all is: an unmounted disk must not pass for an empty repository, nor be written beside.
void require_repository(const std::string& root) {
  if (::access((root + "/config").c_str(), F_OK) == 0) return;
  throw Error(Code::store, "the repository is gone", root, "mount the disk it is on, or bring it back to its place");
}

void make_if_missing(const std::string& root, const std::string& folder) {
  if (::access(folder.c_str(), F_OK) == 0) return;
  require_repository(root);
  os::make_durable_directories(folder, kFolderMode, {Code::store, folder});
}

// Whether a name beside the config is one that carriers and editors give to another copy of it. Files of other programs,
// mbu's own config.toml among them, may lie in the same directory.
bool is_second_config(std::string_view name) {
  if (!name.starts_with("config") || name == "config" || name.starts_with("config.toml")) return false;
  const auto next = static_cast<unsigned char>(name[std::string_view("config").size()]);
  return std::isalnum(next) == 0;
}

constexpr std::uint64_t kBegunAtOnce = 4U << 20;  // bytes

class DirectoryObjectWriter final : public ObjectWriter {
 public:
  DirectoryObjectWriter(std::string root, Folder folder)
      : root_(std::move(root)), folder_(folder), directory_(root_ + '/' + folder_name(folder)) {
    make_if_missing(root_, directory_);
    for (;;) {
      temporary_ = directory_ + '/' + os::unique_name(kTemporary);
      fd_ = os::open_at(AT_FDCWD, temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, kObjectMode,
                        {Code::store, temporary_});
      ::flock(fd_.get(), LOCK_EX);  // a file system without locks keeps its waste, no more
      struct stat status {};
      if (::fstat(fd_.get(), &status) == 0 && status.st_nlink == 1) break;
      // Somebody's clean() saw it between the two calls above and took it away: make another.
    }
  }

  ~DirectoryObjectWriter() override {
    if (fd_) ::unlink(temporary_.c_str());
  }

  void append(ByteView bytes) override {
    os::write_all(fd_.get(), bytes, {Code::store, temporary_});
    written_ += bytes.size();
    // The disk begins while the rest is made; that all of it arrives is for the sync in publish() to say.
    if (written_ - begun_ >= kBegunAtOnce) {
      ::sync_file_range(fd_.get(), static_cast<off_t>(begun_), static_cast<off_t>(written_ - begun_), SYNC_FILE_RANGE_WRITE);
      begun_ = written_;
    }
    hash_.update(bytes);
  }

  ObjectName publish() override {
    const auto name = ObjectName::from(hash_.finish());
    const std::string path = root_ + '/' + object_path(folder_, name);
    const std::string shard = path.substr(0, path.rfind('/'));
    os::sync(fd_.get(), {Code::store, temporary_});
    make_if_missing(root_, shard);
    const bool was_there = ::access(path.c_str(), F_OK) == 0;
    if (::rename(temporary_.c_str(), path.c_str()) != 0) {
      throw os::system_error({Code::store, path}, "rename into place", errno);
    }
    fd_.reset();
    try {
      os::sync_directory(shard, {Code::store, shard});
    } catch (...) {
      // Else the next run finds an object that a power failure may still take away, and relies on it.
      if (!was_there) ::unlink(path.c_str());
      throw;
    }
    return name;
  }

 private:
  std::string root_;
  Folder folder_;
  std::string directory_;
  std::string temporary_;
  os::Fd fd_;
  std::uint64_t written_ = 0;  // bytes
  std::uint64_t begun_ = 0;    // of these, handed to the disk
  crypto::Sha256 hash_;
};

// Removes the temporary files in `directory` that no writer holds locked.
std::size_t clean_directory(const std::string& directory) {
  std::size_t removed = 0;
  for_each_name(directory, [&](const std::string& name) {
    if (!name.starts_with(kTemporary)) return;
    const std::string path = directory + '/' + name;
    const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return;
    if (::unlink(path.c_str()) == 0) ++removed;
  });
  return removed;
}

}  // namespace

DirectoryStore::DirectoryStore(std::string root) : root_(std::move(root)) {
  while (root_.size() > 1 && root_.ends_with('/')) root_.pop_back();
}

std::string DirectoryStore::path_of(Folder folder, const ObjectName& name) const {
  return root_ + '/' + object_path(folder, name);
}

std::optional<ByteBuffer> DirectoryStore::read_config() {
  const std::string path = root_ + "/config";
  std::error_code error;
  if (!fs::exists(path, error)) {
    if (error) throw os::system_error({Code::store, path}, "look at", error.value());
    return std::nullopt;
  }
  for_each_name(root_, [&](const std::string& name) {
    if (is_second_config(name)) {
      throw Error(Code::corrupt, "there is a second config beside it, a carrier's conflict copy", root_ + '/' + name,
                  "find out which of the two belongs to this repository and move the other away");
    }
  });
  return os::read_file(path, kLargestConfig, {Code::store, path});
}

void DirectoryStore::create(ByteView config, const std::vector<std::pair<Folder, ByteBuffer>>& first) {
  const os::Blame blame{Code::store, root_};
  os::make_durable_directories(root_, kFolderMode, blame);
  // Two that make the same repository at once: the second waits here, then finds the first's config.
  const auto root = os::open_at(AT_FDCWD, root_.c_str(), O_RDONLY | O_DIRECTORY, 0, blame);
  ::flock(root.get(), LOCK_EX);
  if (read_config()) throw Error(Code::failed, "there is a repository already", root_);
  for (const auto folder : {Folder::packs, Folder::indexes, Folder::snapshots, Folder::locks}) {
    if (list_what_is_there(folder, false).empty()) continue;
    throw Error(Code::failed, "holds a repository's objects but no config", root_,
                "bring its config back from a copy, or choose another directory");
  }
  for (const auto folder : kFolders) os::make_directories(root_ + '/' + folder_name(folder), kFolderMode, blame);
  for (const auto& shard : shards(root_ + "/data")) os::make_directories(shard, kFolderMode, blame);
  os::sync_directory(root_ + "/data", blame);
  os::sync_directory(root_, blame);
  for (const auto folder : {Folder::keys, Folder::statements}) {
    for (const auto& left_over : list_what_is_there(folder, false)) remove(folder, left_over.name);
  }
  for (const auto& [folder, bytes] : first) put(*this, folder, bytes);
  const std::string path = root_ + "/config";
  try {
    os::replace_file(path, config, kObjectMode, blame);
  } catch (...) {
    ::unlink(path.c_str());  // not durable: no repository yet
    throw;
  }
}

std::vector<Listed> DirectoryStore::list(Folder folder, bool with_sizes) {
  auto objects = list_what_is_there(folder, with_sizes);
  if (objects.empty()) require_repository(root_);
  return objects;
}

std::vector<Listed> DirectoryStore::list_what_is_there(Folder folder, bool with_sizes) const {
  const std::string top = root_ + '/' + folder_name(folder);
  std::vector<Listed> objects;
  const auto list_one = [&](const std::string& directory, std::string_view prefix) {
    for_each_name(directory, [&](const std::string& name) {
      const auto parsed = ObjectName::parse(name);
      if (!parsed || !name.starts_with(prefix)) return;
      std::uint64_t size = 0;
      if (with_sizes) {
        struct stat status {};
        const std::string path = directory + '/' + name;
        if (::stat(path.c_str(), &status) != 0) {
          if (errno == ENOENT) return;
          throw os::system_error({Code::store, path}, "look at", errno);
        }
        size = static_cast<std::uint64_t>(status.st_size);
      }
      objects.push_back({*parsed, size});
    });
  };
  if (folder == Folder::packs) {
    for (const auto& shard : shards(top)) list_one(shard, std::string_view(shard).substr(shard.size() - 2));
  } else {
    list_one(top, {});
  }
  std::ranges::sort(objects, {}, &Listed::name);
  return objects;
}

std::uint64_t DirectoryStore::size(Folder folder, const ObjectName& name) {
  const std::string display = object_path(folder, name);
  return on_object([&] { return size_of(open_object(path_of(folder, name), display).get(), display); });
}

void DirectoryStore::read_at(Folder folder, const ObjectName& name, std::uint64_t offset, MutableBytes to) {
  const std::string display = object_path(folder, name);
  on_object([&] {
    const auto fd = open_object(path_of(folder, name), display);
    if (os::read_full_at(fd.get(), to, offset, {Code::store, display}) == to.size()) return;
    throw Error(Code::corrupt, "is cut short", display);
  });
}

ByteBuffer DirectoryStore::read(Folder folder, const ObjectName& name) {
  const std::string display = object_path(folder, name);
  return on_object([&] {
    const auto fd = open_object(path_of(folder, name), display);
    ByteBuffer bytes(size_of(fd.get(), display));
    if (os::read_full_at(fd.get(), bytes, 0, {Code::store, display}) != bytes.size()) {
      throw Error(Code::corrupt, "is cut short", display);
    }
    return bytes;
  });
}

std::unique_ptr<ObjectWriter> DirectoryStore::start(Folder folder) {
  return std::make_unique<DirectoryObjectWriter>(root_, folder);
}

void DirectoryStore::remove(Folder folder, const ObjectName& name) {
  const std::string path = path_of(folder, name);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    throw os::system_error({Code::store, path}, "remove", errno);
  }
}

void DirectoryStore::make_durable(const std::vector<ObjectName>& packs) {
  std::set<std::string> folders;
  for (const auto& name : packs) folders.insert(fs::path(path_of(Folder::packs, name)).parent_path().string());
  for (const auto& folder : folders) os::sync_directory(folder, {Code::store, folder});
  // The folders themselves may be as new.
  const std::string top = root_ + '/' + folder_name(Folder::packs);
  if (!folders.empty()) os::sync_directory(top, {Code::store, top});
}

std::size_t DirectoryStore::clean() {
  std::size_t removed = clean_directory(root_);
  for (const auto folder : kFolders) removed += clean_directory(root_ + '/' + folder_name(folder));
  return removed;
}

}  // namespace mbu::store

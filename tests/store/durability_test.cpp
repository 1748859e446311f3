// The system calls that make an object last, each failing in turn, for all of them; and a process that dies at each.
//
// This program's own fsync, rename and so on stand before the C library's: the static layers call these.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "../support/expect.hpp"
#include "../support/temporary_directory.hpp"
#include "store/directory_store.hpp"

namespace {

// What happens at the `at`-th of the calls, counted from 1; 0: nothing.
struct Plan {
  enum class Then { fail, die, retry };
  long at = 0;
  Then then = Then::fail;
  int error = EIO;
  std::size_t longest_write = ~std::size_t{0};
};

bool armed = false;
Plan plan;
long calls = 0;
std::vector<std::string> call_log;

// Whether the call must fail, with errno set.
bool interferes(const char* call, const std::string& path) {
  if (!armed) return false;
  call_log.push_back(std::string(call) + ' ' + path.substr(path.rfind('/') + 1));
  if (++calls != plan.at) return false;
  if (plan.then == Plan::Then::die) ::_exit(9);
  errno = plan.then == Plan::Then::retry ? EINTR : plan.error;
  return true;
}

std::string path_of(int fd) {
  std::array<char, 4096> path{};
  const auto size = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path.data(), path.size());
  return {path.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

}  // namespace

extern "C" {

// No power fails here: what counts is that it was asked for.
int fsync(int fd) { return interferes("fsync", path_of(fd)) ? -1 : 0; }

int rename(const char* from, const char* to) noexcept {
  if (interferes("rename", to)) return -1;
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int mkdir(const char* path, mode_t mode) noexcept {
  return interferes("mkdir", path) ? -1 : static_cast<int>(::syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}

ssize_t write(int fd, const void* bytes, size_t size) {
  if (interferes("write", path_of(fd))) return -1;
  return ::syscall(SYS_write, fd, bytes, armed ? std::min(size, plan.longest_write) : size);
}

int openat(int directory, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return interferes("open", path) ? -1 : static_cast<int>(::syscall(SYS_openat, directory, path, flags, mode));
}

}  // extern "C"

namespace mbu::store {
namespace {

// Interferes as planned while it lives.
class Interference {
 public:
  explicit Interference(Plan with) {
    plan = with;
    calls = 0;
    call_log.clear();
    armed = true;
  }
  ~Interference() { armed = false; }
};

template <class Act>
std::optional<Error> attempt(Plan with, Act act) {
  const Interference interference(with);
  try {
    act();
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  }
}

class Durability : public testing::Test {
 protected:
  Durability() { store_.create(as_bytes("config"), {}); }

  // What is in the store but its objects.
  std::size_t waste() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
      if (entry.path().filename().string().find(".mbu-tmp-") != std::string::npos) ++count;
    }
    return count;
  }
  void expect_whole_or_absent(const ObjectName& name) {
    for (const auto& listed : store_.list(Folder::packs, false)) EXPECT_EQ(listed.name, name);
    if (!store_.list(Folder::packs, false).empty()) {
      EXPECT_EQ(store_.read(Folder::packs, name), bytes_);
    }
  }

  test::TemporaryDirectory directory_;
  std::string root_ = directory_ / "r";
  DirectoryStore store_{root_};
  ByteBuffer bytes_ = ByteBuffer(100'000, 'x');
};

TEST_F(Durability, SyncsAnObjectBeforeItHasItsNameAndThenTheFolder) {
  ObjectName name;
  EXPECT_FALSE(attempt({}, [&] { name = put(store_, Folder::packs, bytes_); }));
  std::string temporary;
  std::vector<std::string> order;
  for (const auto& call : call_log) {
    const auto space = call.find(' ');
    if (call.starts_with("write")) temporary = call.substr(space + 1);
    if (!call.starts_with("open")) order.push_back(call);
  }
  EXPECT_TRUE(temporary.starts_with(".mbu-tmp-"));
  EXPECT_EQ(order, (std::vector<std::string>{"write " + temporary, "fsync " + temporary, "rename " + name.hex(),
                                             "fsync " + name.hex().substr(0, 2)}));
}

TEST_F(Durability, WritesTheConfigLast) {
  DirectoryStore other(directory_ / "other");
  EXPECT_FALSE(attempt({}, [&] { other.create(as_bytes("c"), {{Folder::keys, bytes_}}); }));
  std::size_t config = 0, key = 0, data = 0;
  for (std::size_t i = 0; i < call_log.size(); ++i) {
    if (call_log[i] == "rename config") config = i;
    if (call_log[i] == "fsync keys") key = i;
    if (call_log[i] == "fsync data") data = i;
  }
  EXPECT_LT(0u, data);
  EXPECT_LT(data, key);
  EXPECT_LT(key, config);
  EXPECT_EQ(call_log.back(), "fsync other");
}

TEST_F(Durability, APutThatFailsAnywhereLeavesAllOrNothing) {
  for (long at = 1;; ++at) {
    ObjectName name = ObjectName::from(crypto::sha256(bytes_));
    const auto error = attempt({at}, [&] { (void)put(store_, Folder::packs, bytes_); });
    expect_whole_or_absent(name);
    EXPECT_EQ(waste(), 0u) << at;
    if (!error) {
      EXPECT_GE(at, 6);
      break;
    }
    EXPECT_EQ(error->code(), Code::store) << error->what();
    EXPECT_EQ(error->system_errno(), EIO);
    put(store_, Folder::packs, bytes_);
    EXPECT_EQ(store_.read(Folder::packs, name), bytes_);
    store_.remove(Folder::packs, name);
  }
}

TEST_F(Durability, NeverTriesAFailedSyncAgain) {
  (void)attempt({}, [&] { (void)put(store_, Folder::packs, bytes_); });
  const auto usual = call_log;
  long syncs = 0;
  for (std::size_t i = 0; i < usual.size(); ++i) {
    if (!usual[i].starts_with("fsync")) continue;
    ++syncs;
    const auto at = static_cast<long>(i) + 1;
    EXPECT_TRUE(attempt({at}, [&] { (void)put(store_, Folder::packs, bytes_); }));
    EXPECT_EQ(calls, at) << "something was done behind a failed fsync";
  }
  EXPECT_EQ(syncs, 2);
}

TEST_F(Durability, LeavesNoObjectBehindWhoseFolderCouldNotBeSynced) {
  const auto name = ObjectName::from(crypto::sha256(bytes_));
  const auto shard = "fsync " + name.hex().substr(0, 2);
  (void)attempt({}, [&] { (void)put(store_, Folder::packs, bytes_); });
  const auto sync = static_cast<long>(std::ranges::find(call_log, shard) - call_log.begin()) + 1;
  EXPECT_TRUE(attempt({sync}, [&] { (void)put(store_, Folder::packs, bytes_); }));
  EXPECT_EQ(store_.list(Folder::packs, false).size(), 1u) << "it had been there, durable";
  store_.remove(Folder::packs, name);
  EXPECT_TRUE(attempt({sync}, [&] { (void)put(store_, Folder::packs, bytes_); }));
  EXPECT_TRUE(store_.list(Folder::packs, false).empty());
}

TEST_F(Durability, SyncsTheFoldersOfPacksThatOthersPublished) {
  std::vector<ObjectName> packs;
  for (const int first : {0x0a, 0x0a, 0xf0}) {
    packs.emplace_back();
    packs.back().bytes.fill(static_cast<std::uint8_t>(packs.size()));
    packs.back().bytes[0] = static_cast<std::uint8_t>(first);
  }
  EXPECT_FALSE(attempt({}, [&] { store_.make_durable(packs); }));
  std::erase_if(call_log, [](const auto& call) { return !call.starts_with("fsync"); });
  EXPECT_EQ(call_log, (std::vector<std::string>{"fsync 0a", "fsync f0", "fsync data"}));
  EXPECT_FALSE(attempt({}, [&] { store_.make_durable({}); }));
  EXPECT_TRUE(call_log.empty());
  EXPECT_TRUE(attempt({2}, [&] { store_.make_durable(packs); }));
}

TEST_F(Durability, SyncsWhatHoldsANewRepository) {
  DirectoryStore deep(directory_ / "one/two/three");
  EXPECT_FALSE(attempt({}, [&] { deep.create(as_bytes("c"), {}); }));
  for (const auto* made : {"one", "two", "three"}) {
    const auto mkdir = std::ranges::find(call_log, std::string("mkdir ") + made);
    const auto around = std::string(made) == "one" ? directory_.path().substr(directory_.path().rfind('/') + 1)
                                                   : std::string(made) == "two" ? "one" : "two";
    EXPECT_NE(std::find(mkdir, call_log.end(), "fsync " + around), call_log.end()) << made;
  }
}

TEST_F(Durability, IsNoRepositoryWhileItsConfigIsNotDurable) {
  DirectoryStore other(directory_ / "other");
  EXPECT_FALSE(attempt({}, [&] { other.create(as_bytes("c"), {}); }));
  const auto last = static_cast<long>(call_log.size());
  DirectoryStore another(directory_ / "another");
  EXPECT_TRUE(attempt({last}, [&] { another.create(as_bytes("c"), {}); }));
  EXPECT_FALSE(another.read_config());
}

TEST_F(Durability, SaysWhatToDoAboutAFullDisk) {
  Plan full{1, Plan::Then::fail, ENOSPC};
  const auto error = attempt(full, [&] { (void)put(store_, Folder::packs, bytes_); });
  ASSERT_TRUE(error);
  EXPECT_NE(error->next().find("make room"), std::string::npos);
}

TEST_F(Durability, GoesOnAfterASignal) {
  for (long at = 1; at <= 3; ++at) {
    const auto error = attempt({at, Plan::Then::retry}, [&] { (void)put(store_, Folder::packs, bytes_); });
    if (call_log.at(static_cast<std::size_t>(at) - 1).starts_with("fsync")) continue;
    EXPECT_FALSE(error) << call_log.at(static_cast<std::size_t>(at) - 1);
  }
}

TEST_F(Durability, WritesEverythingThatTheSystemTakesInPieces) {
  Plan slow;
  slow.longest_write = 777;
  EXPECT_FALSE(attempt(slow, [&] { (void)put(store_, Folder::packs, bytes_); }));
  EXPECT_EQ(store_.read(Folder::packs, ObjectName::from(crypto::sha256(bytes_))), bytes_);
}

// Of the calls that make a repository most make the folders of data/, all alike.
long next_worth_trying(long at) { return at < 12 || at > 258 ? at + 1 : at + 41; }

TEST_F(Durability, ACreateThatFailsAnywhereCanBeRunAgain) {
  const std::vector<std::pair<Folder, ByteBuffer>> first{{Folder::keys, bytes_}, {Folder::statements, ByteBuffer(3)}};
  long at = 1;
  for (;; at = next_worth_trying(at)) {
    const auto location = directory_ / ("c" + std::to_string(at));
    DirectoryStore store(location);
    const auto error = attempt({at}, [&] { store.create(as_bytes("c"), first); });
    if (!error) break;
    EXPECT_EQ(error->code(), Code::store) << error->what();
    if (!store.read_config()) store.create(as_bytes("c"), first);
    EXPECT_EQ(as_text(store.read_config().value()), "c");
    EXPECT_EQ(store.list(Folder::keys, false).size(), 1u);
    EXPECT_EQ(store.list(Folder::statements, false).size(), 1u);
    std::filesystem::remove_all(location);
  }
  EXPECT_GT(at, 270);
}

// Runs `act` in a process of its own that dies at that call; whether it did.
template <class Act>
bool dies(long at, Act act) {
  const pid_t child = ::fork();
  if (child == 0) {
    const Interference interference({at, Plan::Then::die});
    act();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 9;
}

TEST_F(Durability, AWriterKilledAnywhereLeavesAllOrNothingAndWasteThatIsCleaned) {
  const auto name = ObjectName::from(crypto::sha256(bytes_));
  long at = 1;
  while (dies(at, [&] { (void)put(store_, Folder::packs, bytes_); })) {
    expect_whole_or_absent(name);
    (void)store_.clean();
    EXPECT_EQ(waste(), 0u) << at;
    store_.remove(Folder::packs, name);
    ++at;
  }
  EXPECT_GE(at, 6);
}

TEST_F(Durability, AnInitKilledAnywhereCanBeRunAgain) {
  long at = 1;
  for (;; at = next_worth_trying(at)) {
    const auto location = directory_ / ("k" + std::to_string(at));
    DirectoryStore store(location);
    if (!dies(at, [&] { store.create(as_bytes("c"), {{Folder::keys, bytes_}}); })) break;
    if (!store.read_config()) store.create(as_bytes("c"), {{Folder::keys, bytes_}});
    EXPECT_EQ(store.list(Folder::keys, false).size(), 1u);
    std::filesystem::remove_all(location);
  }
  EXPECT_GT(at, 270);
}

}  // namespace
}  // namespace mbu::store

// The least that looking at a tree costs:  bench_statx_walk DIRECTORY [THREADS]
//
// Lists every directory with getdents64 and asks statx of every entry, on so many threads (default: 2), with directory descriptors and
// nothing else: what an unchanged backup is measured against.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "bench/measure.hpp"
#include "ingest/work_queue.hpp"

namespace {

struct Entry {  // as the kernel lays it out, getdents64(2)
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t length;
  std::uint8_t type;
  char name[1];
};


std::atomic<std::uint64_t> entries{0};

void walk(mbu::ingest::WorkQueue<std::string>& queue, const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return;
  std::vector<char> buffer(256 * 1024);
  std::uint64_t seen = 0;
  for (;;) {
    const long size = ::syscall(SYS_getdents64, fd, buffer.data(), buffer.size());
    if (size <= 0) break;
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const Entry*>(buffer.data() + at);
      at += entry->length;
      if (std::strcmp(entry->name, ".") == 0 || std::strcmp(entry->name, "..") == 0) continue;
      struct statx status;
      if (::statx(fd, entry->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &status) != 0) continue;
      ++seen;
      if (S_ISDIR(status.stx_mode)) queue.push(path + '/' + entry->name);
    }
  }
  ::close(fd);
  entries += seen;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    fmt::print(stderr, "usage: bench_statx_walk DIRECTORY [THREADS]\n");
    return 2;
  }
  const int threads = count > 2 ? std::atoi(arguments[2]) : 2;
  const mbu::bench::Stopwatch watch;
  mbu::ingest::WorkQueue<std::string> queue;
  queue.push(arguments[1]);
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < threads; ++i) {
      workers.emplace_back([&] { queue.work([&](const std::string& path) { walk(queue, path); }); });
    }
  }
  fmt::print("{} entries in {:.3f} s\n", entries.load(), watch.seconds());
}

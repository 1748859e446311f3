// ReadAhead: the chunks of one large file in order, fetched and opened by all workers ahead of the thread that writes them out.
//
// Workers take runs of neighbouring chunks, cut where one block ends, so that no block is opened twice. At most one run a worker and
// two more are held, of at most 8 MiB each. One thread at a time.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "format/entry.hpp"
#include "repo/chunk_index.hpp"
#include "repo/context.hpp"

namespace mbu::ops {

class ReadAhead {
 public:
  // `write` is called by add() and finish() in the order of the chunks. `path` is for messages. All must outlive it.
  ReadAhead(const repo::Context& context, const repo::ChunkIndex& index, const std::string& path,
            const std::function<void(ByteView)>& write);
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  // Forgets what is not written.
  ~ReadAhead();

  // Code::corrupt when a chunk before this one cannot be read; all that lies before that one is written then.
  void add(const format::ChunkRef& chunk);
  // Writes all there is.
  void finish();

 private:
  struct Run {
    std::vector<format::ChunkRef> chunks;
    std::size_t size = 0;  // bytes
    ByteBuffer bytes;
    std::exception_ptr failure;
    bool done = false;
  };
  using RunRef = std::shared_ptr<Run>;

  void hand_out();
  void write_first();
  void work();
  void stop();

  const repo::Context* context_;
  const repo::ChunkIndex* index_;
  const std::string& path_;
  const std::function<void(ByteView)>& write_;
  RunRef next_ = std::make_shared<Run>();  // being gathered
  std::optional<repo::Location> last_;     // of the last chunk in it
  std::deque<RunRef> window_;              // handed out, not written

  std::mutex mutex_;  // guards what follows, and Run::done
  std::condition_variable work_, done_;
  std::deque<RunRef> waiting_;
  bool stopping_ = false;
  std::vector<std::jthread> workers_;
};

}  // namespace mbu::ops

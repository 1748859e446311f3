#include "ops/browse/read_ahead.hpp"

#include "tree/chunk_reader.hpp"

namespace mbu::ops {
namespace {

constexpr std::size_t kRun = 4U << 20;      // bytes after which a run ends with its block
constexpr std::size_t kLongest = 8U << 20;  // or within it
constexpr std::size_t kCache = 8U << 20;    // plain bytes that each worker keeps

}  // namespace

ReadAhead::ReadAhead(const repo::Context& context, const repo::ChunkIndex& index, const std::string& path,
                     const std::function<void(ByteView)>& write)
    : context_(&context), index_(&index), path_(path), write_(write) {
  try {
    for (unsigned i = 0; i < context.threads; ++i) workers_.emplace_back([this] { work(); });
  } catch (...) {
    stop();  // those that there are wait, and will be waited for
    throw;
  }
}

ReadAhead::~ReadAhead() { stop(); }

void ReadAhead::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
}

void ReadAhead::add(const format::ChunkRef& chunk) {
  const auto place = index_->find(chunk.id);
  const bool same_block = place && last_ && place->pack == last_->pack && place->block == last_->block;
  if (next_->size + chunk.length > kLongest || (next_->size >= kRun && !same_block)) hand_out();
  next_->chunks.push_back(chunk);
  next_->size += chunk.length;
  last_ = place;
}

void ReadAhead::finish() {
  hand_out();
  while (!window_.empty()) write_first();
}

void ReadAhead::hand_out() {
  if (next_->chunks.empty()) return;
  while (window_.size() > workers_.size()) write_first();
  window_.push_back(next_);
  {
    const std::scoped_lock lock(mutex_);
    waiting_.push_back(std::exchange(next_, std::make_shared<Run>()));
  }
  work_.notify_one();
}

void ReadAhead::write_first() {
  const auto first = window_.front();
  {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return first->done; });
  }
  write_(first->bytes);
  if (first->failure) std::rethrow_exception(first->failure);
  window_.pop_front();
}

void ReadAhead::work() {
  tree::ChunkReader reader(context_->vault, *index_, kCache);
  for (;;) {
    RunRef run;
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      run = waiting_.front();
      waiting_.pop_front();
    }
    try {
      run->bytes.reserve(run->size);
      for (const auto& chunk : run->chunks) {
        const auto bytes = reader.read(chunk.id, format::BlockRole::data, path_);
        if (bytes.size() != chunk.length) throw Error(Code::corrupt, "a chunk of it has the wrong length", path_);
        append(run->bytes, bytes);
      }
    } catch (...) {
      run->failure = std::current_exception();
    }
    const std::scoped_lock lock(mutex_);
    run->done = true;
    done_.notify_one();
  }
}

}  // namespace mbu::ops

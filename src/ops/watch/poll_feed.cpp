// Watches nothing: everything is dirty every now and then.
#include "ops/watch/feed.hpp"
#include "ops/watch/poll_timer.hpp"

namespace mbu::ops {
namespace {

class PollFeed final : public Feed {
 public:
  explicit PollFeed(FeedRequest request) : request_(std::move(request)), timer_(request_.poll_interval_ns) {}

  std::string_view name() const override { return "poll"; }
  int descriptor() const override { return -1; }
  std::optional<std::int64_t> due() const override { return timer_.due(); }
  void compared(std::int64_t duration_ns) override { timer_.compared(duration_ns); }

  void collect(ingest::Dirty& dirty) override {
    if (!timer_.is_due()) return;
    for (const auto& path : request_.paths) dirty.add(path, ingest::Dirty::Scope::subtree);
    timer_.restart();
  }

 private:
  FeedRequest request_;
  PollTimer timer_;
};

}  // namespace

std::unique_ptr<Feed> open_poll_feed(FeedRequest request) { return std::make_unique<PollFeed>(std::move(request)); }

}  // namespace mbu::ops

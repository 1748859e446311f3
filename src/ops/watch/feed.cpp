#include "ops/watch/feed.hpp"

#include "mbu/types/error.hpp"

namespace mbu::ops {

std::unique_ptr<Feed> open_feed(FeedKind kind, FeedRequest request) {
  switch (kind) {
    case FeedKind::fanotify: return open_fanotify_feed(std::move(request));
    case FeedKind::inotify: return open_inotify_feed(std::move(request));
    case FeedKind::poll: return open_poll_feed(std::move(request));
    case FeedKind::automatic: break;
  }
  try {
    return open_fanotify_feed(request);
  } catch (const Error&) {
    // It wants a privileged process, and file systems that can be asked by handle.
    return open_inotify_feed(std::move(request));
  }
}

}  // namespace mbu::ops

#include "ops/restore/directories.hpp"

#include <fcntl.h>

namespace mbu::ops {
namespace {

constexpr std::size_t kMostOpen = 256;

}  // namespace

std::shared_ptr<const os::Fd> Directories::open(Directory& directory) {
  const std::scoped_lock lock(mutex_);
  if (!directory.descriptor_) {
    const auto name = display(directory.place);
    const os::Blame blame{Code::source, name};
    keep(directory, std::make_shared<const os::Fd>(os::open_beneath(
                        target_.get(), directory.place.empty() ? "." : directory.place,
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, blame)));
  }
  return directory.descriptor_;
}

void Directories::adopt(Directory& directory, os::Fd fd) {
  const std::scoped_lock lock(mutex_);
  keep(directory, std::make_shared<const os::Fd>(std::move(fd)));
}

void Directories::keep(Directory& directory, std::shared_ptr<const os::Fd> fd) {
  directory.descriptor_ = std::move(fd);
  opened_.push_back(directory.weak_from_this());
  if (opened_.size() <= kMostOpen) return;
  if (const auto oldest = opened_.front().lock(); oldest && oldest.get() != &directory) oldest->descriptor_.reset();
  opened_.pop_front();
}

}  // namespace mbu::ops

#include "os/listing.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "../support/temporary_directory.hpp"

namespace mbu::os {
namespace {

using Strings = std::vector<std::string>;

TEST(Listing, NamesDirectoriesOnlyWhenAskedTo) {
  const mbu::test::TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "b");
  std::filesystem::create_directory(directory / "a");
  std::filesystem::create_directory_symlink("a", directory / "link");
  mbu::test::write_whole(directory / "file", {});
  const Blame blame{Code::failed, directory.path()};
  const auto fd = open_at(AT_FDCWD, directory.path().c_str(), O_RDONLY | O_DIRECTORY, 0, blame);
  EXPECT_EQ(list_directories(fd.get(), blame), (Strings{"a", "b"}));
  EXPECT_EQ(list_names(fd.get(), blame), (Strings{"a", "b", "file", "link"}));
  EXPECT_EQ(list_directories(fd.get(), blame), (Strings{"a", "b"}));
}

}  // namespace
}  // namespace mbu::os

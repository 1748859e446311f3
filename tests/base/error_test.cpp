#include "mbu/types/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace mbu {
namespace {

TEST(Error, SaysWhatHappenedToWhat) {
  const Error error(Code::corrupt, "is cut short", "data/ab", "bring it back", EIO);
  EXPECT_STREQ(error.what(), "data/ab: is cut short");
  EXPECT_EQ(error.happened(), "is cut short");
  EXPECT_EQ(error.subject(), "data/ab");
  EXPECT_EQ(error.next(), "bring it back");
  EXPECT_EQ(error.system_errno(), EIO);
  EXPECT_STREQ(Error(Code::failed, "no memory").what(), "no memory");
}

TEST(Error, GainsContextOnTheWayUp) {
  const Error error = Error(Code::store, "cannot write", "data/ab", "make room", ENOSPC).within("packaging /home");
  EXPECT_STREQ(error.what(), "data/ab: packaging /home: cannot write");
  EXPECT_EQ(error.code(), Code::store);
  EXPECT_EQ(error.next(), "make room");
  EXPECT_EQ(error.system_errno(), ENOSPC);
}

TEST(Error, ChangesItsKindAndNothingElse) {
  const Error error = Error(Code::failed, "cannot read", "/etc/x", "next", EACCES).as(Code::source);
  EXPECT_EQ(error.code(), Code::source);
  EXPECT_STREQ(error.what(), "/etc/x: cannot read");
  EXPECT_EQ(error.next(), "next");
  EXPECT_EQ(error.system_errno(), EACCES);
}

TEST(Error, DecidesTheExitStatus) {
  EXPECT_EQ(exit_status(Code::failed), 1);
  EXPECT_EQ(exit_status(Code::store), 1);
  EXPECT_EQ(exit_status(Code::not_found), 1);
  EXPECT_EQ(exit_status(Code::usage), 2);
  EXPECT_EQ(exit_status(Code::source), 3);
  EXPECT_EQ(exit_status(Code::no_repository), 10);
  EXPECT_EQ(exit_status(Code::wrong_password), 12);
  EXPECT_EQ(exit_status(Code::forbidden), 13);
  EXPECT_EQ(exit_status(Code::corrupt), 20);
  EXPECT_EQ(exit_status(Code::interrupted), 130);
}

}  // namespace
}  // namespace mbu

// Everything of an entry but its name and content, onto the file made for it; private to restore/.
//
// The order matters: changing the owner clears set-id bits and capabilities, changing anything moves times, and flags forbid all
// the rest. So: owner, mode, attributes, time; flags apart, since a name must be in its place before.
#pragma once

#include "format/entry.hpp"
#include "os/metadata.hpp"
#include "os/status.hpp"

namespace mbu::ops {

// Any thread. What cannot be set is answered as text for a message, empty when all was; the rest is set nevertheless. Without
// privileges, owners and attributes that only root may set are passed over in silence, as cp -a does, and then no
// set-id bit is given away with somebody else's file.
class MetadataSetter {
 public:
  explicit MetadataSetter(bool restore_owner);

  enum class Time { set, leave };
  // Of a file, directory or special file just made; `inherited`: the directory it is in gave it attributes.
  [[nodiscard]] std::string set_new(os::Node node, const format::Entry& entry, bool inherited, Time time, os::Blame blame) const;
  // Of what was there before: nothing is touched when all is right.
  [[nodiscard]] std::string set_existing(os::Node node, const format::Entry& entry, const os::FileStatus& status, Time time,
                                         os::Blame blame) const;
  // Of a symlink.
  [[nodiscard]] std::string set_link(os::Node node, const format::Entry& entry, os::Blame blame) const;
  // After the name is in its place.
  [[nodiscard]] std::string set_flags(int fd, const format::Entry& entry, os::Blame blame) const;

  // Whether all that set_existing() would set is so already.
  [[nodiscard]] bool matches(os::Node node, const format::Entry& entry, const os::FileStatus& status, Time time,
                             os::Blame blame) const;

 private:
  struct Owner {
    std::uint32_t uid, gid;
  };
  [[nodiscard]] Owner owner_of(const format::Entry& entry) const;
  [[nodiscard]] bool set_owner(os::Node node, const format::Entry& entry, os::Blame blame, std::string& failures) const;
  enum class Attributes { user, others };  // those called user.*, which take the right to write to the file; and all others
  void set_attributes(os::Node node, const format::Entry& entry, Attributes which, os::Blame blame, std::string& failures) const;
  void remove_others(os::Node node, const format::Entry& entry, os::Blame blame, std::string& failures) const;
  void set_rest(os::Node node, const format::Entry& entry, bool owned, Time time, os::Blame blame, std::string& failures) const;
  [[nodiscard]] bool may_set(const std::string& attribute) const noexcept;

  bool restore_owner_;
  bool root_;
  Owner self_;
};

}  // namespace mbu::ops

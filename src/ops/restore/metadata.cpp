#include "ops/restore/metadata.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "os/attributes.hpp"

namespace mbu::ops {
namespace {

constexpr std::uint32_t kSetIds = 06000;
constexpr std::uint32_t kOwnerWrites = 0200;

// Runs one step; a failure of the file's own is noted, the rest goes on.
template <class Step>
bool attempt(std::string& failures, Step step) {
  try {
    step();
    return true;
  } catch (const Error& error) {
    if (error.code() != Code::source) throw;
    failures += (failures.empty() ? "" : "; ") + error.happened();
    return false;
  }
}

// What belongs to the file and not to this machine: a security module's labels, for one, are the machine's.
bool is_files_own(const std::string& attribute) noexcept {
  return attribute.starts_with("user.") || attribute.starts_with("trusted.") ||
         attribute.starts_with("system.posix_acl_") || attribute == "security.capability";
}

bool has(const format::Entry& entry, const std::string& attribute) {
  return std::ranges::binary_search(entry.attributes, attribute, {}, &format::Attribute::name);
}

// O_PATH descriptors take no call that reads attributes: what is path-only was made or compared by other means.
std::vector<os::AttributePair> attributes_of(os::Node node, os::Blame blame) {
  return node.path_only ? std::vector<os::AttributePair>{} : os::read_attributes(node.fd, blame);
}

}  // namespace

MetadataSetter::MetadataSetter(bool restore_owner)
    : restore_owner_(restore_owner), root_(::geteuid() == 0), self_{::geteuid(), ::getegid()} {}

MetadataSetter::Owner MetadataSetter::owner_of(const format::Entry& entry) const {
  if (!root_) return {entry.uid, entry.gid};
  const auto uid = entry.user.empty() ? std::nullopt : os::user_id(entry.user);
  const auto gid = entry.group.empty() ? std::nullopt : os::group_id(entry.group);
  return {uid.value_or(entry.uid), gid.value_or(entry.gid)};
}

bool MetadataSetter::may_set(const std::string& attribute) const noexcept {
  return root_ || !(attribute.starts_with("trusted.") || attribute.starts_with("security."));
}

// Whether the file is now the entry's owner's.
bool MetadataSetter::set_owner(os::Node node, const format::Entry& entry, os::Blame blame, std::string& failures) const {
  const auto wanted = owner_of(entry);
  if (!restore_owner_) return wanted.uid == self_.uid && wanted.gid == self_.gid;
  if (root_) return attempt(failures, [&] { os::set_owner(node, wanted.uid, wanted.gid, blame); });
  std::string silent;
  if (attempt(silent, [&] { os::set_owner(node, wanted.uid, wanted.gid, blame); })) return true;
  attempt(silent, [&] { os::set_owner(node, static_cast<std::uint32_t>(-1), wanted.gid, blame); });
  return false;
}

void MetadataSetter::set_attributes(os::Node node, const format::Entry& entry, Attributes which, os::Blame blame, std::string& failures) const {
  for (const auto& attribute : entry.attributes) {
    if (!may_set(attribute.name) || (which == Attributes::user) != attribute.name.starts_with("user.")) continue;
    // What is not the file's own is worth a try and no complaint.
    std::string silent;
    attempt(is_files_own(attribute.name) ? failures : silent,
            [&] { os::set_attribute(node, attribute.name, attribute.value, blame); });
  }
}

void MetadataSetter::remove_others(os::Node node, const format::Entry& entry, os::Blame blame, std::string& failures) const {
  attempt(failures, [&] {
    for (const auto& [name, value] : attributes_of(node, blame)) {
      if (is_files_own(name) && may_set(name) && !has(entry, name)) os::remove_attribute(node, name, blame);
    }
  });
}

void MetadataSetter::set_rest(os::Node node, const format::Entry& entry, bool owned, Time time, os::Blame blame,
                              std::string& failures) const {
  const std::uint32_t mode = owned ? entry.mode : entry.mode & ~kSetIds;
  set_attributes(node, entry, Attributes::user, blame, failures);  // before the mode, which may be one that lets nobody write
  attempt(failures, [&] { os::set_mode(node, mode, blame); });
  set_attributes(node, entry, Attributes::others, blame, failures);  // behind it: an access control list is more than a mode
  if (time == Time::set) attempt(failures, [&] { os::set_modified(node, entry.mtime, blame); });
}

std::string MetadataSetter::set_new(os::Node node, const format::Entry& entry, bool inherited, Time time,
                                    os::Blame blame) const {
  std::string failures;
  const bool owned = set_owner(node, entry, blame, failures);
  if (inherited) remove_others(node, entry, blame, failures);
  set_rest(node, entry, owned, time, blame, failures);
  return failures;
}

std::string MetadataSetter::set_existing(os::Node node, const format::Entry& entry, const os::FileStatus& status, Time time,
                                         os::Blame blame) const {
  std::string failures;
  attempt(failures, [&] {
    if (matches(node, entry, status, time, blame)) return;
    // Immutable files let nothing be set.
    if (status.flags != 0 && !node.path_only) os::set_file_flags(node.fd, 0, blame);
    const auto wanted = owner_of(entry);
    const bool owned = (status.uid == wanted.uid && status.gid == wanted.gid) || set_owner(node, entry, blame, failures);
    // Who may not write to a file may not change its user attributes. Its mode is set behind them.
    std::string silent;
    if (!root_ && (status.mode & kOwnerWrites) == 0 && !node.path_only) {
      attempt(silent, [&] { os::set_mode(node, status.mode | kOwnerWrites, blame); });
    }
    remove_others(node, entry, blame, failures);
    set_rest(node, entry, owned, time, blame, failures);
  });
  return failures;
}

std::string MetadataSetter::set_link(os::Node node, const format::Entry& entry, os::Blame blame) const {
  std::string failures;
  std::string silent;
  if (restore_owner_) {
    const auto wanted = owner_of(entry);
    attempt(root_ ? failures : silent, [&] { os::set_owner(node, wanted.uid, wanted.gid, blame); });
  }
  set_attributes(node, entry, Attributes::others, blame, failures);  // links have no user attributes
  attempt(failures, [&] { os::set_modified(node, entry.mtime, blame); });
  return failures;
}

std::string MetadataSetter::set_flags(int fd, const format::Entry& entry, os::Blame blame) const {
  std::string failures;
  std::string silent;
  const bool mine_to_set = root_ || (entry.flags & ~os::kNoDump) == 0;
  attempt(mine_to_set ? failures : silent, [&] { os::set_file_flags(fd, entry.flags, blame); });
  return failures;
}

bool MetadataSetter::matches(os::Node node, const format::Entry& entry, const os::FileStatus& status, Time time,
                             os::Blame blame) const {
  const auto wanted = owner_of(entry);
  const bool same_owner = status.uid == wanted.uid && status.gid == wanted.gid;
  if (restore_owner_ && root_ && !same_owner) return false;
  if (status.mode != (same_owner ? entry.mode : entry.mode & ~kSetIds)) return false;
  if (time == Time::set && status.mtime != entry.mtime) return false;
  if (status.flags != entry.flags && !node.path_only) return false;
  const auto is_ours = [this](const std::string& name) { return is_files_own(name) && may_set(name); };
  std::size_t found = 0;
  for (const auto& [name, value] : attributes_of(node, blame)) {
    if (!is_ours(name)) continue;
    const auto wanted_one = std::ranges::lower_bound(entry.attributes, name, {}, &format::Attribute::name);
    if (wanted_one == entry.attributes.end() || wanted_one->name != name || wanted_one->value != value) return false;
    ++found;
  }
  return static_cast<std::ptrdiff_t>(found) ==
         std::ranges::count_if(entry.attributes, is_ours, &format::Attribute::name);
}

}  // namespace mbu::ops

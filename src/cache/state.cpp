#include "cache/state.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "base/random.hpp"
#include "crypto/hash.hpp"

namespace mbu::cache {
namespace {

constexpr std::size_t kLargestFile = 256U << 20;

os::Blame blame(const std::string& path) { return {Code::failed, path}; }

// The file's lines; none when it cannot be read.
std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  try {
    const auto bytes = os::read_file(path, kLargestFile, blame(path));
    std::istringstream text{std::string(as_text(bytes))};
    for (std::string line; std::getline(text, line);) lines.push_back(std::move(line));
  } catch (const Error&) {
    // Nothing remembered.
  }
  return lines;
}

// One write with O_APPEND: lines of two processes do not mix. What a full disk or a power cut tore stays a line of its own.
void append_lines(const std::string& path, std::string text) {
  text.insert(0, 1, '\n');
  try {
    const auto fd = os::open_at(AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600, blame(path));
    os::write_all(fd.get(), as_bytes(text), blame(path));
  } catch (const Error&) {
    // A state that cannot be written is none.
  }
}

std::string escape(const std::string& location) {
  std::string text;
  for (char c : location) {
    if (c == '\n' || c == '\\') text += '\\';
    text += c == '\n' ? 'n' : c;
  }
  return text;
}

std::string format_link(const char* status, const State::Link& link) {
  return std::string(status) + ' ' + std::to_string(link.number) + ' ' + link.name.hex() + '\n';
}

// Not synced, which would cost a small snapshot more than all else: who finds a snapshot of his own in the store that his chain knows
// nothing of begins another (renew_instance), so that a power cut gives no number twice.
void write_chain(const std::string& file, const std::string& text) {
  os::replace_file(file, as_bytes(text), 0600, blame(file), os::Durability::unsynced);
}

struct Chain {
  std::optional<State::Link> published, announced;
};

Chain read_chain(const std::string& file) {
  Chain chain;
  for (const auto& line : lines_of(file)) {
    std::istringstream words(line);
    std::string status, hex;
    State::Link link;
    if (!(words >> status >> link.number >> hex)) continue;
    const auto name = ObjectName::parse(hex);
    if (!name) continue;
    link.name = *name;
    (status == "published" ? chain.published : chain.announced) = link;
  }
  return chain;
}

constexpr const char* kSeen = "/seen-at-";

// The objects' paths of the file; a torn line is none, which nobody need look for.
std::vector<std::string> seen_in_file(const std::string& path) {
  auto lines = lines_of(path);
  std::erase_if(lines, [](const std::string& line) {
    const auto slash = line.rfind('/');
    return slash == std::string::npos || !ObjectName::parse(line.substr(slash + 1));
  });
  return lines;
}

// At all locations.
std::set<std::string> all_seen_in(const std::string& directory) {
  std::set<std::string> seen;
  std::error_code gone;
  for (const auto& file : std::filesystem::directory_iterator(directory, gone)) {
    if (!file.path().filename().string().starts_with(kSeen + 1)) continue;
    for (auto& line : seen_in_file(file.path())) seen.insert(std::move(line));
  }
  return seen;
}

}  // namespace

State::State(const std::string& directory, const RepositoryId& repository, const std::string& credential, const std::string& location)
    : location_(to_hex(ByteView(crypto::sha256(as_bytes(location))).first(8))), instance_(random_identifier<InstanceId>()) {
  if (directory.empty()) return;
  directory_ = directory + '/' + repository.hex() + (credential.empty() ? "" : '-' + credential);
  const std::string file = directory_ + "/instance";
  try {
    os::make_directories(directory_, 0700, blame(directory_));
    for (const auto& line : lines_of(file)) {
      if (const auto id = InstanceId::parse(line)) {
        instance_ = *id;
        return;
      }
    }
    os::replace_file(file, as_bytes(instance_.hex() + '\n'), 0600, blame(file));
  } catch (const Error&) {
    directory_.clear();
  }
}

void State::renew_instance() {
  instance_ = random_identifier<InstanceId>();
  if (directory_.empty()) return;
  const std::string file = directory_ + "/instance";
  try {
    os::replace_file(file, as_bytes(instance_.hex() + '\n'), 0600, blame(file));
  } catch (const Error&) {
    directory_.clear();
  }
}

State::Publication State::publish(const std::function<bool(const ObjectName&)>& exists) {
  Publication publication;
  publication.instance_ = instance_;
  if (directory_.empty()) return publication;
  const std::string lock = directory_ + "/lock";
  try {
    publication.lock_ = os::open_at(AT_FDCWD, lock.c_str(), O_RDWR | O_CREAT, 0600, blame(lock));
  } catch (const Error&) {
    // A state that cannot be written is none: two objects must not get one place in a chain.
    publication.instance_ = random_identifier<InstanceId>();
    return publication;
  }
  publication.file_ = directory_ + "/chain-" + instance_.hex();
  ::flock(publication.lock_.get(), LOCK_EX);
  const auto chain = read_chain(publication.file_);
  publication.previous_ = chain.published;
  if (chain.announced && exists(chain.announced->name)) publication.previous_ = chain.announced;
  return publication;
}

void State::Publication::announce(const Link& next) {
  if (file_.empty()) return;
  std::string text;
  if (previous_) text = format_link("published", *previous_);
  write_chain(file_, text + format_link("announced", next));
}

void State::Publication::confirm(const Link& next) {
  if (file_.empty()) return;
  try {
    write_chain(file_, format_link("published", next));
  } catch (const Error&) {
    // The object is there, and what was announced says so to the next run.
  }
}

std::set<std::string> State::seen() const { return directory_.empty() ? std::set<std::string>() : all_seen_in(directory_); }

std::set<std::string> State::seen_here() const {
  if (directory_.empty()) return {};
  const auto lines = seen_in_file(memory());
  return {lines.begin(), lines.end()};
}

void State::remember(const std::vector<std::string>& object_paths) {
  if (directory_.empty() || object_paths.empty()) return;
  std::string text;
  for (const auto& path : object_paths) text += path + '\n';
  append_lines(memory(), std::move(text));
}

std::string State::memory() const { return directory_ + kSeen + location_; }

void State::remember_location(const std::string& directory, const std::string& location, const RepositoryId& id) {
  if (directory.empty() || remembered_at(directory, location) == id) return;
  try {
    os::make_directories(directory, 0700, blame(directory));
  } catch (const Error&) {
    return;
  }
  append_lines(directory + "/repositories", id.hex() + ' ' + escape(location) + '\n');
}

std::optional<RepositoryId> State::remembered_at(const std::string& directory, const std::string& location) {
  std::optional<RepositoryId> last;
  if (directory.empty()) return last;
  constexpr std::size_t kHex = RepositoryId::kSize * 2;
  const std::string wanted = escape(location);
  for (const auto& line : lines_of(directory + "/repositories")) {
    if (line.size() <= kHex || line.substr(kHex + 1) != wanted) continue;
    if (const auto id = RepositoryId::parse(line.substr(0, kHex))) last = id;
  }
  return last;
}

std::set<std::string> State::seen_in(const std::string& directory, const RepositoryId& id) {
  return directory.empty() ? std::set<std::string>() : all_seen_in(directory + '/' + id.hex());
}

}  // namespace mbu::cache

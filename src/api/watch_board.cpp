#include "api/watch_board.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "mbu/watchers.hpp"

namespace mbu::api {
namespace {

using Json = nlohmann::json;
using Activity = WatcherStatus::Activity;

constexpr const char* kFolder = "/watchers";

// Paths are bytes and not text: CBOR (RFC 8949) has both.
Json binary(const std::string& text) { return Json::binary({text.begin(), text.end()}); }
std::string text_of(const Json& value) {
  const auto& bytes = value.get_binary();
  return {bytes.begin(), bytes.end()};
}

std::string encode(const WatcherStatus& status) {
  Json paths = Json::array();
  for (const auto& path : status.paths) paths.push_back(binary(path));
  const Json object{{"process", status.process},
                    {"location", binary(status.location)},
                    {"repository", status.repository},
                    {"paths", std::move(paths)},
                    {"feed", status.feed},
                    {"activity", static_cast<int>(status.activity)},
                    {"pending", status.pending_directories},
                    {"started", status.started_s},
                    {"compared", status.compared_s},
                    {"missed", status.missed},
                    {"lost_events", status.lost_events},
                    {"snapshots", status.snapshots},
                    {"last_snapshot", status.last_snapshot},
                    {"last_snapshot_time", status.last_snapshot_s},
                    {"problems", status.problems},
                    {"error", binary(status.error)},
                    {"keeps_owner", status.keeps_owner}};
  std::string encoded;
  Json::to_cbor(object, encoded);
  return encoded;
}

// Nothing when it is not what encode() makes.
std::optional<WatcherStatus> decode(const std::string& encoded) {
  try {
    const Json object = Json::from_cbor(encoded);
    WatcherStatus status;
    object.at("process").get_to(status.process);
    status.location = text_of(object.at("location"));
    object.at("repository").get_to(status.repository);
    for (const auto& path : object.at("paths")) status.paths.push_back(text_of(path));
    object.at("feed").get_to(status.feed);
    const int activity = object.at("activity");
    status.activity = static_cast<Activity>(std::clamp(activity, 0, static_cast<int>(Activity::retrying)));
    object.at("pending").get_to(status.pending_directories);
    object.at("started").get_to(status.started_s);
    object.at("compared").get_to(status.compared_s);
    object.at("missed").get_to(status.missed);
    object.at("lost_events").get_to(status.lost_events);
    object.at("snapshots").get_to(status.snapshots);
    object.at("last_snapshot").get_to(status.last_snapshot);
    object.at("last_snapshot_time").get_to(status.last_snapshot_s);
    object.at("problems").get_to(status.problems);
    status.error = text_of(object.at("error"));
    object.at("keeps_owner").get_to(status.keeps_owner);
    return status;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

WatchBoard::WatchBoard(const std::string& state_directory, WatcherStatus status) : status_(std::move(status)) {
  if (state_directory.empty()) return;
  try {
    service_.emplace(state_directory + kFolder, std::to_string(status_.process), [this] { return answer(); });
  } catch (const Error&) {
    // A state that cannot be written is none: nobody can ask.
  }
}

void WatchBoard::update(const std::function<void(WatcherStatus&)>& change) {
  const std::scoped_lock lock(mutex_);
  change(status_);
}

std::string WatchBoard::answer() const {
  const std::scoped_lock lock(mutex_);
  return encode(status_);
}

}  // namespace mbu::api

namespace mbu {

std::vector<WatcherStatus> watchers(const std::string& state_directory) {
  namespace fs = std::filesystem;
  std::vector<WatcherStatus> all;
  std::error_code ignored;
  if (state_directory.empty()) return all;
  for (const auto& repository : fs::directory_iterator(state_directory, ignored)) {
    const std::string folder = repository.path().string() + api::kFolder;
    for (const auto& socket : fs::directory_iterator(folder, ignored)) {
      const auto answer = os::ask_local_service(folder, socket.path().filename().string());
      auto status = answer ? api::decode(*answer) : std::nullopt;
      if (status) all.push_back(std::move(*status));
    }
  }
  std::ranges::sort(all, {}, [](const WatcherStatus& status) { return std::pair(status.started_s, status.process); });
  return all;
}

}  // namespace mbu

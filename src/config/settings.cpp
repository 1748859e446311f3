#include "config/settings.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <map>
#include <utility>

#include "config/duration.hpp"
#include "config/retention.hpp"
#include "mbu/types/error.hpp"
#include "mbu/types/location.hpp"

namespace mbu::config {
namespace {

constexpr const char* kDefaultPackages = "~/mbu-packages";
constexpr const char* kDefaultRestored = "~/mbu-restored";

Error wrong(const std::string& source, const toml::source_region& where, const std::string& what) {
  return Error(Code::usage, "line " + std::to_string(where.begin.line) + ": " + what, source);
}

// "a", "b" or "c"
std::string alternatives(std::initializer_list<std::string_view> values) {
  std::string text;
  std::size_t left = values.size();
  for (const auto value : values) {
    text += '"' + std::string(value) + '"';
    --left;
    if (left == 1) text += " or ";
    if (left > 1) text += ", ";
  }
  return text;
}

// One table of the file: hands out its values by key, each checked, and knows which keys nobody asked for.
class Table {
 public:
  Table(const toml::table& root, const std::string& name, const std::string& source) : name_(name), source_(source) {
    const toml::node* node = root.get(name);
    if (node == nullptr) return;
    table_ = node->as_table();
    if (table_ == nullptr) throw wrong(source_, node->source(), "'" + name + "' must be a table: [" + name + "]");
    for (const auto& [key, value] : *table_) unread_.emplace(std::string(key.str()), key.source());
  }

  const toml::node* take(const std::string& key) {
    unread_.erase(key);
    return table_ == nullptr ? nullptr : table_->get(key);
  }

  [[nodiscard]] Error complain(const std::string& key, const toml::node& node, const std::string& wanted) const {
    return wrong(source_, node.source(), name_ + "." + key + " must be " + wanted);
  }

  void text(const std::string& key, std::string& value) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto* string = node->as_string();
    if (string == nullptr || string->get().find('\0') != std::string::npos) throw complain(key, *node, "a string");
    value = string->get();
  }

  void one_of(const std::string& key, std::string& value, std::initializer_list<std::string_view> values) {
    text(key, value);
    const bool known = std::find(values.begin(), values.end(), value) != values.end();
    if (!known) throw complain(key, *table_->get(key), alternatives(values));
  }

  void texts(const std::string& key, std::vector<std::string>& value) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto* array = node->as_array();
    if (array == nullptr) throw complain(key, *node, "an array of strings");
    for (const toml::node& element : *array) {
      const auto* string = element.as_string();
      if (string == nullptr) throw complain(key, element, "an array of strings");
      value.push_back(string->get());
    }
  }

  void duration(const std::string& key, std::int64_t& value) {
    std::string written;
    text(key, written);
    if (table_ == nullptr || table_->get(key) == nullptr) return;
    const auto parsed = parse_duration_ms(written);
    if (!parsed) throw complain(key, *table_->get(key), "a length of time like \"300ms\", \"30s\" or \"1m\"");
    value = *parsed;
  }

  // Throws for the first key in the file that is none of mbu's.
  void finish() const {
    const auto first = std::min_element(unread_.begin(), unread_.end(), [](const auto& a, const auto& b) {
      return a.second.begin.line < b.second.begin.line;
    });
    if (first != unread_.end()) throw wrong(source_, first->second, "unknown key '" + name_ + "." + first->first + "'");
  }

 private:
  const toml::table* table_ = nullptr;
  std::string name_;
  const std::string& source_;
  std::map<std::string, toml::source_region> unread_;
};

// `path` made absolute; empty when it needs a home and there is none.
std::string absolute(const std::string& path, const Anchors& anchors) {
  if (path == "~" || path.starts_with("~/")) return anchors.home.empty() ? "" : anchors.home + path.substr(1);
  if (path.starts_with('/')) return path;
  return (anchors.directory == "/" ? "" : anchors.directory) + '/' + path;
}

void read_directory(Table& table, const std::string& key, const Anchors& anchors, std::string& value) {
  std::string written;
  table.text(key, written);
  const toml::node* node = table.take(key);
  if (node == nullptr) return;
  if (written.empty()) throw table.complain(key, *node, "the path of a directory");
  if (written.starts_with('~') && written.size() > 1 && written[1] != '/') {
    throw table.complain(key, *node, "a path without a user's name after \"~\"");
  }
  value = absolute(written, anchors);
}

// "off", "fast", "default", "max", or a level as a number or a string.
void read_compression(Table& table, std::string& value) {
  const toml::node* node = table.take("compression");
  if (node == nullptr) return;
  std::string written;
  if (const auto* number = node->as_integer()) written = std::to_string(number->get());
  if (const auto* string = node->as_string()) written = string->get();
  int level = 0;
  const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), level);
  const bool is_level = error == std::errc{} && end == written.data() + written.size() && level >= 1 && level <= 19;
  const bool is_name = written == "off" || written == "fast" || written == "default" || written == "max";
  if (!is_level && !is_name) {
    throw table.complain("compression", *node, "\"off\", \"fast\", \"default\", \"max\" or a level from 1 to 19");
  }
  value = written;
}

void read_packer(Table table, const Anchors& anchors, Settings& settings) {
  std::string url;
  table.text("package_directory", url);
  if (is_remote(url)) {
    settings.package_directory = url;
  } else {
    read_directory(table, "package_directory", anchors, settings.package_directory);
  }
  read_directory(table, "restore_directory", anchors, settings.restore_directory);
  table.one_of("module", settings.module, {"repository", "package"});
  read_compression(table, settings.compression);
  table.texts("exclude", settings.excludes);
  table.finish();
}

void read_watcher(Table table, Settings& settings) {
  table.one_of("module", settings.watcher_module, {"auto", "fanotify", "inotify", "poll"});
  table.duration("settle", settings.settle_ms);
  table.duration("max_delay", settings.max_delay_ms);
  std::string interval = "auto";
  table.text("poll_interval", interval);
  if (interval != "auto") {
    std::int64_t milliseconds = 0;
    table.duration("poll_interval", milliseconds);
    const toml::node* node = table.take("poll_interval");
    if (milliseconds == 0) throw table.complain("poll_interval", *node, "more than nothing, or \"auto\"");
    settings.poll_interval_ms = milliseconds;
  }
  std::string keep;
  table.text("keep", keep);
  if (!keep.empty()) {
    const auto retention = parse_retention(keep);
    if (!retention) throw table.complain("keep", *table.take("keep"), "a policy like \"1h all, 1d hourly, 1M daily, forever weekly\"");
    settings.keep = *retention;
  }
  table.finish();
}

void refuse_other_tables(const toml::table& root, const std::string& source) {
  for (const auto& [key, value] : root) {
    const auto name = key.str();
    if (name == "packer" || name == "watcher" || name == "keys" || name == "pigeon") continue;
    throw wrong(source, key.source(), "unknown key '" + std::string(name) + "'");
  }
}

toml::table parse(std::string_view text, const std::string& source) {
  try {
    return toml::parse(text, source);
  } catch (const toml::parse_error& error) {
    throw wrong(source, error.source(), std::string(error.description()));
  }
}

bool has_packer_line(std::string_view text) {
  return text.starts_with("[packer]") || text.find("\n[packer]") != std::string_view::npos;
}

}  // namespace

Settings default_settings(const Anchors& anchors) {
  Settings settings;
  settings.package_directory = absolute(kDefaultPackages, anchors);
  settings.restore_directory = absolute(kDefaultRestored, anchors);
  return settings;
}

Settings parse_settings(std::string_view text, const std::string& source, const Anchors& anchors) {
  const toml::table root = parse(text, source);
  Settings settings = default_settings(anchors);
  refuse_other_tables(root, source);
  read_packer(Table(root, "packer", source), anchors, settings);
  read_watcher(Table(root, "watcher", source), settings);
  Table keys(root, "keys", source);
  keys.one_of("kdf", settings.kdf, {"argon2id", "pbkdf2"});
  keys.finish();
  Table pigeon(root, "pigeon", source);
  pigeon.texts("push", settings.push);
  pigeon.finish();
  return settings;
}

bool looks_like_settings(std::string_view text) {
  try {
    return toml::parse(text).get("packer") != nullptr;
  } catch (const toml::parse_error&) {
    return has_packer_line(text);
  }
}

}  // namespace mbu::config

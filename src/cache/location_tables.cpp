#include "cache/location_tables.hpp"

#include <unistd.h>

#include <chrono>
#include <filesystem>

namespace mbu::cache {
namespace {

namespace fs = std::filesystem;

// Of a table that some process began to write and never finished.
constexpr auto kAbandonedAfter = std::chrono::hours(24);

// Credentials cannot read each other's tables: each has a folder of its own.
std::string folder_name(const crypto::Key& key) {
  const auto name = crypto::derive("mbu v1 cache location folder", {crypto::view(key)});
  return "locations-" + to_hex(crypto::view(name).first(8));
}

bool is_abandoned(const fs::directory_entry& entry) {
  std::error_code error;
  const auto written = entry.last_write_time(error);
  return !error && entry.path().filename().string().starts_with(".mbu-tmp-") &&
         fs::file_time_type::clock::now() - written > kAbandonedAfter;
}

}  // namespace

LocationTables::LocationTables(const std::string& directory, const crypto::Key& key)
    : key_(key.clone()), folder_(directory + '/' + folder_name(key)) {}

std::vector<std::unique_ptr<LocationTable>> LocationTables::open_all() const {
  std::vector<std::unique_ptr<LocationTable>> tables;
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->path().extension() == ".locations") {
      if (auto table = open(entry->path().string())) {
        tables.push_back(std::move(table));
      } else {
        fs::remove_all(entry->path(), ignored);
      }
    } else if (is_abandoned(*entry)) {
      fs::remove_all(entry->path(), ignored);
    }
  }
  return tables;
}

void LocationTables::remove(const LocationTable& table) const noexcept { ::unlink(table.path().c_str()); }

}  // namespace mbu::cache

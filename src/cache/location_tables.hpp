// LocationTables: the folder of one credential's location tables. Several processes may use it: what one of them cannot open any more,
// since another has merged it into a larger one, is to it a table that was never there. Any thread.
#pragma once

#include "cache/location_table.hpp"

namespace mbu::cache {

class LocationTables {
 public:
  // `directory`: of the cache; the folder is made in it with the first table. `key`: of the credential.
  LocationTables(const std::string& directory, const crypto::Key& key);

  // All that can be used; what cannot is removed.
  [[nodiscard]] std::vector<std::unique_ptr<LocationTable>> open_all() const;
  [[nodiscard]] std::unique_ptr<LocationTable> open(const std::string& path) const { return LocationTable::open(path, key_); }
  [[nodiscard]] LocationTableWriter start(std::uint64_t most_chunks) const { return {folder_, key_, most_chunks}; }
  void remove(const LocationTable& table) const noexcept;

 private:
  crypto::Key key_;
  std::string folder_;
};

}  // namespace mbu::cache

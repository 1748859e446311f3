#include "mbu/configuration.hpp"

#include <utility>

#include "config/duration.hpp"
#include "config/retention.hpp"
#include "config/search.hpp"

namespace mbu {

std::optional<std::int64_t> parse_duration_ms(const std::string& text) { return config::parse_duration_ms(text); }

std::optional<std::int64_t> parse_span_s(const std::string& text) { return config::parse_span_s(text); }

Configuration load_configuration(const ConfigurationSearch& search) {
  config::Found found = config::find_settings({search.given, search.environment, search.write_default});
  config::Settings& settings = found.settings;
  Configuration configuration;
  configuration.source = std::move(found.path);
  configuration.package_directory = std::move(settings.package_directory);
  configuration.restore_directory = std::move(settings.restore_directory);
  configuration.module = std::move(settings.module);
  configuration.compression = std::move(settings.compression);
  configuration.excludes = std::move(settings.excludes);
  configuration.watcher.module = std::move(settings.watcher_module);
  configuration.watcher.settle_ms = settings.settle_ms;
  configuration.watcher.max_delay_ms = settings.max_delay_ms;
  configuration.watcher.poll_interval_ms = settings.poll_interval_ms;
  configuration.watcher.keep = std::move(settings.keep);
  configuration.kdf = std::move(settings.kdf);
  configuration.push = std::move(settings.push);
  configuration.warnings = std::move(found.warnings);
  return configuration;
}

}  // namespace mbu

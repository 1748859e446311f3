// The first line is a path below the directory of the rules that the rest is.
#include "source/gitignore.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  const auto text = as_text({data, size});
  const auto end = std::min(text.find('\n'), text.size());
  const std::string path = "/top/" + std::string(text.substr(0, end));
  const auto rules = source::IgnoreRules::parse(text.substr(std::min(end + 1, text.size())), "/top", nullptr);
  const auto below = source::IgnoreRules::parse("*.o\n!keep.o\n", "/top/sub", rules);
  static_cast<void>(rules->ignores(path, true));
  static_cast<void>(rules->ignores(path, false));
  static_cast<void>(below->ignores("/top/sub/" + std::string(text.substr(0, end)), false));
  return 0;
}

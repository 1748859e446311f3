#include "config/settings.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  const auto text = as_text({data, size});
  const config::Anchors anchors{"/home/me", "/etc/mbu"};
  static_cast<void>(config::looks_like_settings(text));
  static_cast<void>(
      fuzz::decoded([&] { return config::parse_settings(text, fuzz::kSubject, anchors); }, Code::usage));
  return 0;
}

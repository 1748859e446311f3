// The first line is a path, every other one a pattern. What is matched by a directory is matched with all below it.
#include "source/pattern.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == '\n') {
      lines.emplace_back();
    } else {
      lines.back().push_back(static_cast<char>(data[i]));
    }
  }
  const std::string path = "/" + lines.front();
  lines.erase(lines.begin());
  for (const auto fold : {source::Case::sensitive, source::Case::ignored}) {
    const auto list = fuzz::decoded([&] { return source::PatternList::compile(lines, fold); }, Code::usage);
    if (!list) continue;
    const bool below = list->may_match_below("/");
    fuzz::require(below || path == "/" || !list->matches(path), "a match lies below a directory that has none");
  }
  return 0;
}

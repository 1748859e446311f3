// The vectors of docs/FORMAT.md §13, read from the document itself: what it says is what is tested.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "expect.hpp"

namespace mbu::test {

class DocumentVectors {
 public:
  DocumentVectors() {
    std::ifstream document(MBU_SOURCE_DIRECTORY "/docs/FORMAT.md");
    bool inside = false;
    std::string name;
    for (std::string line; std::getline(document, line);) {
      if (line.starts_with("## 13.")) inside = true;
      if (!inside || line.starts_with('#') || line.starts_with('`')) continue;
      const auto equals = line.find(" =");
      if (line.starts_with("    ")) {
        values_[name] += line.substr(4);
      } else if (equals != std::string::npos) {
        name = line.substr(0, equals);
        values_[name] = line.size() > equals + 3 ? line.substr(equals + 3) : "";
      }
    }
  }

  [[nodiscard]] std::string text(const std::string& name) const {
    const auto found = values_.find(name);
    EXPECT_NE(found, values_.end()) << "the document has no vector " << name;
    return found == values_.end() ? "" : found->second;
  }
  [[nodiscard]] ByteBuffer bytes(const std::string& name) const { return unhex(text(name)); }
  template <class Id>
  [[nodiscard]] Id id(const std::string& name) const {
    return Id{unhex_array<Id::kSize>(text(name))};
  }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace mbu::test

// A password in locked, guarded memory. Move-only, zeroed when it goes, without a printer.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "mbu/types/ids.hpp"

namespace mbu {

class Password {
 public:
  // Copies `size` bytes into locked memory and overwrites them where they were. Throws Code::failed when no
  // memory can be locked away.
  [[nodiscard]] static Password take(char* bytes, std::size_t size);

  Password(Password&&) noexcept;
  Password& operator=(Password&&) noexcept;
  ~Password();

  [[nodiscard]] ByteView view() const noexcept;
  [[nodiscard]] bool empty() const noexcept { return view().empty(); }
  // Compares in constant time for equal lengths.
  [[nodiscard]] bool equals(const Password& other) const noexcept;
  [[nodiscard]] Password clone() const;

 private:
  Password() = default;
  void* memory_ = nullptr;  // from the locked allocator; null when empty
  std::size_t size_ = 0;
};

// Where a password may come from. The first that is set is used, in the order of the members; when none is and there is no
// prompt, opening fails with Code::wrong_password and lists the sources.
struct PasswordSources {
  std::optional<Password> given;    // from -p or MBU_PASSWORD
  std::string file;                 // first line of a file
  std::string command;              // first line of what `sh -c` prints
  int descriptor = -1;              // first line read from it
  // Asks a person. `fresh`: for a new repository, to be asked twice. Null: nobody to ask.
  std::function<Password(bool fresh)> prompt;

  // Whether one is set that asks nobody.
  [[nodiscard]] bool any_given() const noexcept { return given || !file.empty() || !command.empty() || descriptor >= 0; }
};

}  // namespace mbu

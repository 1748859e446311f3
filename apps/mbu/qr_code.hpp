// QR codes (ISO/IEC 18004), by libqrencode. One thread per object.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mbu::cli {

class QrCode {
 public:
  // `text`: capital letters and digits. The code is overwritten at the end; what libqrencode had on the way to it is not. Throws Code::failed when it
  // does not fit.
  explicit QrCode(std::string_view text);
  ~QrCode();
  QrCode(QrCode&&) noexcept = default;
  QrCode& operator=(QrCode&&) = delete;

  // Modules along one side, without the quiet zone around it.
  [[nodiscard]] int size() const noexcept { return size_; }
  // False in the quiet zone, which begins at -1 and at size().
  [[nodiscard]] bool is_dark(int column, int row) const noexcept;

  // Two rows a line, in half blocks of UTF-8, with the quiet zone. `colours`: as a terminal shows black on white whatever its own colours are; else
  // dark is what is printed, as on paper.
  [[nodiscard]] std::string text(bool colours) const;
  // The dark modules as the data of an SVG path, one unit each, the quiet zone not among them.
  [[nodiscard]] std::string path() const;

 private:
  int size_ = 0;
  std::vector<unsigned char> modules_;  // row by row; the lowest bit: dark
};

// Whether the user's locale says that text is UTF-8.
[[nodiscard]] bool writes_utf8();

}  // namespace mbu::cli

#include "qr_code.hpp"

#include <fmt/format.h>
#include <langinfo.h>
#include <locale.h>
#include <qrencode.h>
#include <string.h>

#include "mbu/types/error.hpp"

namespace mbu::cli {
namespace {

constexpr int kQuiet = 4;  // modules, what the standard asks for

}  // namespace

QrCode::QrCode(std::string_view text) {
  std::string copy(text);  // ended by a zero byte
  // A sheet that was folded or stained is still to be read: level M restores 15 %.
  QRcode* const made = QRcode_encodeString(copy.c_str(), 0, QR_ECLEVEL_M, QR_MODE_8, 1);
  ::explicit_bzero(copy.data(), copy.size());
  if (made == nullptr) throw Error(Code::failed, "a QR code cannot be made of it", "the recovery sheet");
  size_ = made->width;
  const auto count = static_cast<std::size_t>(size_) * static_cast<std::size_t>(size_);
  modules_.assign(made->data, made->data + count);
  ::explicit_bzero(made->data, count);
  QRcode_free(made);
}

QrCode::~QrCode() { ::explicit_bzero(modules_.data(), modules_.size()); }

bool QrCode::is_dark(int column, int row) const noexcept {
  if (column < 0 || row < 0 || column >= size() || row >= size()) return false;
  return (modules_[static_cast<std::size_t>(row * size_ + column)] & 1U) != 0;
}

std::string QrCode::text(bool colours) const {
  constexpr const char* kBlocks[] = {" ", "\u2584", "\u2580", "\u2588"};  // nothing, the lower half, the upper half, both
  std::string text;
  for (int row = -kQuiet; row < size() + kQuiet; row += 2) {
    if (colours) text += "\x1b[30;107m";
    for (int column = -kQuiet; column < size() + kQuiet; ++column) {
      text += kBlocks[(is_dark(column, row) ? 2 : 0) + (is_dark(column, row + 1) ? 1 : 0)];
    }
    if (colours) text += "\x1b[0m";
    text += '\n';
  }
  return text;
}

std::string QrCode::path() const {
  std::string path;
  for (int row = 0; row < size(); ++row) {
    for (int column = 0; column < size(); ++column) {
      if (is_dark(column, row)) path += fmt::format("M{} {}h1v1h-1z", column, row);
    }
  }
  return path;
}

bool writes_utf8() {
  const locale_t locale = ::newlocale(LC_CTYPE_MASK, "", nullptr);
  if (locale == nullptr) return false;
  const std::string_view codeset = ::nl_langinfo_l(CODESET, locale);
  const bool is_utf8 = codeset == "UTF-8";
  ::freelocale(locale);
  return is_utf8;
}

}  // namespace mbu::cli

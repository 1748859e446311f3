// Lines: the first that is no comment says what it is, "slot" gives bytes in hex, joined in order, "key" the key. The key is used as it stands, as
// a password of 64 digits: 256 bits that no derivation has to stretch.
#include "keys/credential_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "crypto/secret.hpp"
#include "mbu/types/error.hpp"
#include "os/file.hpp"

namespace mbu::keys {
namespace {

constexpr std::string_view kMagic = "mbu-credential 1";
constexpr std::string_view kSlot = "slot ";
constexpr std::string_view kKey = "key ";
constexpr std::size_t kBytesInALine = 48;
constexpr std::size_t kKeyDigits = 64;
constexpr std::size_t kLargestFile = 256 * 1024;  // bytes

// Piece by piece, so that no buffer ever holds the key.
void put_line(int fd, std::string_view word, ByteView value, os::Blame blame) {
  os::write_all(fd, as_bytes(word), blame);
  os::write_all(fd, value, blame);
  os::write_all(fd, as_bytes("\n"), blame);
}

}  // namespace

void write_credential_file(const std::string& path, const CredentialFile& file, const std::string& comment) {
  const os::Blame blame{Code::failed, path};
  const auto fd = os::open_at(AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600, blame);
  try {
    put_line(fd.get(), "# ", as_bytes(comment), blame);
    put_line(fd.get(), kMagic, {}, blame);
    for (std::size_t at = 0; at < file.slot.size(); at += kBytesInALine) {
      const auto piece = ByteView(file.slot).subspan(at, std::min(kBytesInALine, file.slot.size() - at));
      put_line(fd.get(), kSlot, as_bytes(to_hex(piece)), blame);
    }
    if (file.key) put_line(fd.get(), kKey, file.key->view(), blame);
    os::sync(fd.get(), blame);
    os::sync_directory(path.substr(0, path.rfind('/') + 1), blame);
  } catch (...) {
    ::unlink(path.c_str());
    throw;
  }
}

CredentialFile decode_credential_file(ByteView bytes, const std::string& subject) {
  const auto refuse = [&](const char* what) { return Error(Code::wrong_password, what, subject); };
  CredentialFile file;
  bool begun = false;
  for (auto rest = as_text(bytes); !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    if (!begun) {
      if (line != kMagic) break;
      begun = true;
    } else if (line.starts_with(kSlot)) {
      const auto piece = from_hex(line.substr(kSlot.size()));
      if (!piece) throw refuse("is a damaged credential: a line of it is no hex");
      append(file.slot, *piece);
    } else if (line.starts_with(kKey)) {
      if (line.size() != kKey.size() + kKeyDigits) throw refuse("is a damaged credential: its key has the wrong length");
      crypto::Secret<std::array<char, kKeyDigits>> key;
      std::ranges::copy(line.substr(kKey.size()), key.expose().begin());
      file.key = Password::take(key.expose().data(), kKeyDigits);
    } else {
      throw refuse("is a damaged credential, or one of a newer mbu: a line of it is not known");
    }
  }
  if (!begun) throw refuse("is no credential of mbu");
  if (file.slot.empty()) throw refuse("is a damaged credential: it holds no slot");
  return file;
}

CredentialFile read_credential_file(const std::string& path) {
  auto bytes = os::read_file(path, kLargestFile, {Code::wrong_password, path});
  try {
    auto file = decode_credential_file(bytes, path);
    crypto::wipe(bytes);
    return file;
  } catch (...) {
    crypto::wipe(bytes);
    throw;
  }
}

Password random_file_key() {
  const auto key = crypto::random_key();
  std::string digits = to_hex(crypto::view(key));
  return Password::take(digits.data(), digits.size());
}

}  // namespace mbu::keys

// A line is 8 bytes of the secret and 2 of a hash over the repository, the line's number and these bytes. A line with mistakes passes with a chance of
// 2^-16; the owner's key in the config has the last word. A share's first line says how many are needed, which one it is, and six bytes that all
// shares made together have; the hashes of its lines go over that line, too.
#include "keys/recovery_sheet.hpp"

extern "C" {
#include <libgfshare.h>  // does not say itself that it is C
}

#include <algorithm>
#include <array>
#include <memory>

#include "base/random.hpp"
#include "crypto/hash.hpp"
#include "keys/recovery_lines.hpp"
#include "mbu/types/error.hpp"

namespace mbu::keys {
namespace {

constexpr std::size_t kSecretInALine = 8;
constexpr std::size_t kCheck = kBytesInALine - kSecretInALine;
constexpr std::size_t kLines = sizeof(crypto::Digest) / kSecretInALine;  // of a sheet, and of a share behind its first
constexpr std::size_t kLinesOfAShare = 1 + kLines;

ByteView content(const RecoveryLine& line) { return ByteView(line.expose()).first(kSecretInALine); }
std::uint8_t needed_of(const RecoveryLine& head) { return head.expose()[0]; }
std::uint8_t number_of(const RecoveryLine& head) { return head.expose()[1]; }
ByteView set_of(const RecoveryLine& head) { return content(head).subspan(2); }

using Check = std::array<std::uint8_t, kCheck>;
Check first_bytes(const crypto::Key& hash) { return {hash.expose()[0], hash.expose()[1]}; }

Check check_of_sheet(const RecoveryLine& line, std::size_t number, const RepositoryId& repository) {
  const std::array<std::uint8_t, 1> index{static_cast<std::uint8_t>(number)};
  return first_bytes(crypto::derive("mbu v1 recovery sheet line", {repository.view(), index, content(line)}));
}

Check check_of_share(const RecoveryLine& line, std::size_t number, const RecoveryLine& head, const RepositoryId& repository) {
  const std::array<std::uint8_t, 1> index{static_cast<std::uint8_t>(number)};
  return first_bytes(crypto::derive("mbu v1 recovery share line", {repository.view(), index, content(head), content(line)}));
}

bool has_check(const RecoveryLine& line, const Check& check) { return std::ranges::equal(ByteView(line.expose()).subspan(kSecretInALine), check); }

RecoveryLine with_check(RecoveryLine line, const Check& check) {
  std::ranges::copy(check, line.expose().begin() + kSecretInALine);
  return line;
}

RecoveryLine line_of(const crypto::Key& secret, std::size_t number) {
  RecoveryLine line;
  std::copy_n(secret.expose().begin() + static_cast<std::ptrdiff_t>(number * kSecretInALine), kSecretInALine, line.expose().begin());
  return line;
}

void put_line(crypto::Key& secret, std::size_t number, const RecoveryLine& line) {
  std::ranges::copy(content(line), secret.expose().begin() + static_cast<std::ptrdiff_t>(number * kSecretInALine));
}

Password text_of(const std::vector<RecoveryLine>& lines) {
  const crypto::LockedBytes text(lines.size() * kLineWidth);
  auto* const to = reinterpret_cast<char*>(text.bytes().data());
  for (std::size_t i = 0; i < lines.size(); ++i) write_line(lines[i], to + i * kLineWidth);
  return Password::take(to, text.bytes().size() - 1);
}

[[noreturn]] void refuse(const std::string& what) { throw Error(Code::wrong_password, what); }

[[noreturn]] void refuse_line(const CopiedLine& line) {
  refuse(line.name + " has a mistake, or the sheet is another repository's");
}

// --- Shares, by libgfshare: 32 polynomials over GF(2^8), whose constants are the secret ---

struct Free {
  void operator()(gfshare_ctx* context) const noexcept { gfshare_ctx_free(context); }
};
using Sharing = std::unique_ptr<gfshare_ctx, Free>;

Sharing checked(gfshare_ctx* context) {
  if (context == nullptr) throw Error(Code::failed, "no memory for shares of the secret");
  return Sharing(context);
}

void use_good_randomness() {
  gfshare_fill_rand = [](unsigned char* bytes, unsigned size) { fill_random({bytes, size}); };
}

struct Share {
  std::uint8_t number;
  crypto::Key value;
};

crypto::Key join(std::vector<Share>& shares) {
  use_good_randomness();  // with which it overwrites
  std::vector<std::uint8_t> numbers;
  for (const auto& share : shares) numbers.push_back(share.number);
  const auto sharing = checked(gfshare_ctx_init_dec(numbers.data(), static_cast<unsigned>(numbers.size()), sizeof(crypto::Digest)));
  for (std::size_t i = 0; i < shares.size(); ++i) {
    gfshare_ctx_dec_giveshare(sharing.get(), static_cast<std::uint8_t>(i), shares[i].value.expose().data());
  }
  crypto::Key secret;
  gfshare_ctx_dec_extract(sharing.get(), secret.expose().data());
  return secret;
}

// --- What was copied ---

CopiedSheets read_sheet(const std::vector<CopiedLine>& lines, const RepositoryId& repository) {
  CopiedSheets copied;
  for (std::size_t i = 0; i < std::min(lines.size(), kLines); ++i) {
    if (!has_check(lines[i].bytes, check_of_sheet(lines[i].bytes, i, repository))) refuse_line(lines[i]);
    put_line(copied.root, i, lines[i].bytes);
  }
  if (lines.size() > kLines) refuse("the sheet has four lines; here are more");
  if (lines.size() < kLines) copied.missing = "the sheet has four lines; here are " + std::to_string(lines.size());
  return copied;
}

CopiedSheets read_shares(const std::vector<CopiedLine>& lines, const RepositoryId& repository) {
  CopiedSheets copied;
  std::vector<Share> shares;
  const auto& first = lines.front().bytes;
  for (std::size_t at = 0; at < lines.size(); at += kLinesOfAShare) {
    const auto& head = lines[at].bytes;
    const std::string sheet = "sheet " + std::to_string(at / kLinesOfAShare + 1);
    const std::size_t here = std::min(lines.size() - at, kLinesOfAShare);
    Share share{number_of(head), {}};
    for (std::size_t i = 0; i < here; ++i) {
      const auto& line = lines[at + i];
      if (!has_check(line.bytes, check_of_share(line.bytes, i, head, repository))) refuse_line(line);
      if (i > 0) put_line(share.value, i - 1, line.bytes);
    }
    if (needed_of(head) != needed_of(first) || !std::ranges::equal(set_of(head), set_of(first))) {
      refuse(sheet + " was not made together with the first: they are of different sets");
    }
    if (std::ranges::find(shares, share.number, &Share::number) != shares.end()) refuse(sheet + " is here twice");
    if (here < kLinesOfAShare) copied.missing = sheet + " has five lines; here are " + std::to_string(here);
    else shares.push_back(std::move(share));
  }
  const std::size_t needed = needed_of(first);
  if (shares.size() < needed && copied.missing.empty()) {
    copied.missing = std::to_string(needed) + " sheets are needed together; here are " + std::to_string(shares.size());
  }
  if (!copied.missing.empty()) return copied;
  shares.resize(needed);
  copied.root = join(shares);
  return copied;
}

bool are_shares(const std::vector<CopiedLine>& lines, const RepositoryId& repository) {
  if (lines.empty()) return false;
  const auto& first = lines.front().bytes;
  if (has_check(first, check_of_share(first, 0, first, repository))) return true;
  return lines.size() % kLinesOfAShare == 0 && !has_check(first, check_of_sheet(first, 0, repository));
}

}  // namespace

Password encode_recovery_sheet(const crypto::Key& root, const RepositoryId& repository) {
  std::vector<RecoveryLine> lines;
  for (std::size_t i = 0; i < kLines; ++i) {
    auto line = line_of(root, i);
    const auto check = check_of_sheet(line, i, repository);
    lines.push_back(with_check(std::move(line), check));
  }
  return text_of(lines);
}

std::vector<Password> encode_recovery_shares(const crypto::Key& root, const RepositoryId& repository, unsigned needed, unsigned made) {
  if (needed < 2 || needed > made || made > kMostShares) {
    throw Error(Code::usage, "from 2 to " + std::to_string(kMostShares) + " shares can be made, and from 2 to all of them be needed");
  }
  use_good_randomness();
  std::vector<std::uint8_t> numbers(made);
  for (unsigned i = 0; i < made; ++i) numbers[i] = static_cast<std::uint8_t>(i + 1);
  const auto sharing = checked(gfshare_ctx_init_enc(numbers.data(), made, static_cast<std::uint8_t>(needed), sizeof(crypto::Digest)));
  auto secret = root.clone();
  gfshare_ctx_enc_setsecret(sharing.get(), secret.expose().data());

  std::array<std::uint8_t, kSecretInALine - 2> set;
  fill_random(set);
  std::vector<Password> texts;
  for (unsigned i = 0; i < made; ++i) {
    RecoveryLine head;
    head.expose()[0] = static_cast<std::uint8_t>(needed);
    head.expose()[1] = numbers[i];
    std::ranges::copy(set, head.expose().begin() + 2);
    crypto::Key value;
    gfshare_ctx_enc_getshare(sharing.get(), static_cast<std::uint8_t>(i), value.expose().data());
    std::vector<RecoveryLine> lines;
    lines.push_back(with_check(head.clone(), check_of_share(head, 0, head, repository)));
    for (std::size_t line = 0; line < kLines; ++line) {
      auto bytes = line_of(value, line);
      const auto check = check_of_share(bytes, line + 1, head, repository);
      lines.push_back(with_check(std::move(bytes), check));
    }
    texts.push_back(text_of(lines));
  }
  return texts;
}

CopiedSheets read_recovery_sheets(const std::vector<Password>& texts, const RepositoryId& repository) {
  LineReader reader;
  for (const auto& text : texts) reader.read(as_text(text.view()));
  const auto lines = reader.take();
  return are_shares(lines, repository) ? read_shares(lines, repository) : read_sheet(lines, repository);
}

crypto::Key decode_recovery_sheets(const std::vector<Password>& texts, const RepositoryId& repository) {
  auto copied = read_recovery_sheets(texts, repository);
  if (!copied.missing.empty()) refuse(copied.missing);
  return std::move(copied.root);
}

}  // namespace mbu::keys

// By libfido2 (https://developers.yubico.com/libfido2). Credentials are not resident: whatever a slot names, the device computes anew from that name, so
// that any number of repositories fit one device.
#include <fido.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/random.hpp"
#include "crypto/hash.hpp"
#include "keys/authenticator.hpp"

namespace mbu::keys {
namespace {

constexpr const char* kParty = "mbu";  // FORMAT.md §5
constexpr std::string_view kSocket = "unix:";
constexpr std::size_t kMostDevices = 64;
constexpr int kTimeoutMs = 60'000;  // devices give up waiting for a touch after half of it

struct FreeDevice {
  void operator()(fido_dev_t* device) const noexcept {
    fido_dev_close(device);
    fido_dev_free(&device);
  }
};
struct FreeCredential {
  void operator()(fido_cred_t* credential) const noexcept { fido_cred_free(&credential); }
};
struct FreeAssertion {
  void operator()(fido_assert_t* assertion) const noexcept { fido_assert_free(&assertion); }
};

// --- A device behind a socket: reports of 64 bytes, as a USB device has them ---

struct Socket {
  int fd;
};

void* open_socket(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string_view name = std::string_view(path).substr(kSocket.size());
  if (name.size() >= sizeof address.sun_path) return nullptr;
  std::memcpy(address.sun_path, name.data(), name.size());
  const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0) return nullptr;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return nullptr;
  }
  return new Socket{fd};
}

void close_socket(void* handle) {
  auto* const socket = static_cast<Socket*>(handle);
  ::close(socket->fd);
  delete socket;
}

int read_socket(void* handle, unsigned char* bytes, std::size_t size, int milliseconds) {
  pollfd ready{static_cast<Socket*>(handle)->fd, POLLIN, 0};
  if (::poll(&ready, 1, milliseconds) != 1) return -1;
  return static_cast<int>(::recv(ready.fd, bytes, size, 0));
}

// The first byte is the number of the report, which a socket has no use for.
int write_socket(void* handle, const unsigned char* bytes, std::size_t size) {
  const auto sent = ::send(static_cast<Socket*>(handle)->fd, bytes + 1, size - 1, MSG_NOSIGNAL);
  return sent < 0 ? -1 : static_cast<int>(size);
}

// --- libfido2 ---

[[noreturn]] void refuse(int status, const std::string& what, const std::string& device) {
  switch (status) {
    case FIDO_ERR_PIN_AUTH_INVALID:
    case FIDO_ERR_PIN_INVALID: throw Error(Code::wrong_password, "wrong PIN", device);
    case FIDO_ERR_PIN_NOT_SET: throw Error(Code::wrong_password, "has no PIN any more, which it had when it was added", device);
    case FIDO_ERR_PIN_BLOCKED:
    case FIDO_ERR_PIN_AUTH_BLOCKED: throw Error(Code::wrong_password, "has had too many wrong PINs", device, "unplug it and plug it in again; or reset it");
    case FIDO_ERR_PIN_REQUIRED: throw Error(Code::wrong_password, "wants its PIN, and there is nobody to ask for it", device);
    case FIDO_ERR_ACTION_TIMEOUT:
    case FIDO_ERR_USER_ACTION_TIMEOUT: throw Error(Code::wrong_password, "nobody touched it", device);
    case FIDO_ERR_OPERATION_DENIED: throw Error(Code::wrong_password, "its user refused", device);
    default: throw Error(Code::failed, "cannot " + what + " (" + fido_strerr(status) + ")", device);
  }
}

// Whether a device that was only asked if a credential is its own says so by that.
bool is_anothers(int status) noexcept {
  switch (status) {
    case FIDO_ERR_NO_CREDENTIALS:
    case FIDO_ERR_INVALID_CREDENTIAL:
    case FIDO_ERR_INVALID_LENGTH:
    case FIDO_ERR_INVALID_PARAMETER:
    case FIDO_ERR_LIMIT_EXCEEDED:
    case FIDO_ERR_REQUEST_TOO_LARGE: return true;
    default: return false;
  }
}

std::string find_device() {
  fido_dev_info_t* const list = fido_dev_info_new(kMostDevices);
  if (list == nullptr) throw Error(Code::failed, "no memory to look for security keys");
  std::size_t found = 0;
  const int status = fido_dev_info_manifest(list, kMostDevices, &found);
  std::string path, all;
  for (std::size_t i = 0; status == FIDO_OK && i < found; ++i) {
    path = fido_dev_info_path(fido_dev_info_ptr(list, i));
    all += (all.empty() ? "" : ", ") + path;
  }
  fido_dev_info_t* freed = list;
  fido_dev_info_free(&freed, kMostDevices);
  if (status != FIDO_OK || found == 0) throw Error(Code::failed, "no security key is plugged in, or none that this user may use");
  if (found > 1) throw Error(Code::failed, "several security keys are plugged in (" + all + ")", {}, "name one: --security-key-device PATH");
  return path;
}

class Fido2 : public Authenticator {
 public:
  explicit Fido2(const AuthenticatorOptions& options) : options_(options), path_(options.device.empty() ? find_device() : options.device) {
    fido_init(0);
    device_.reset(fido_dev_new());
    if (!device_) throw Error(Code::failed, "no memory for it", path_);
    if (path_.starts_with(kSocket)) {
      constexpr fido_dev_io_t kInOut{open_socket, close_socket, read_socket, write_socket};
      check(fido_dev_set_io_functions(device_.get(), &kInOut), "be spoken to");
    }
    check(fido_dev_set_timeout(device_.get(), kTimeoutMs), "be spoken to");
    check(fido_dev_open(device_.get(), path_.c_str()), "be opened");
    if (!fido_dev_is_fido2(device_.get())) throw Error(Code::failed, "is an older kind of security key than FIDO2", path_);
  }

  Credential make_credential(const std::string& user) override {
    const std::unique_ptr<fido_cred_t, FreeCredential> made(fido_cred_new());
    if (!made) throw Error(Code::failed, "no memory for it", path_);
    std::array<std::uint8_t, 32> hash, id;
    fill_random(hash);  // nobody verifies an attestation here
    fill_random(id);
    check(fido_cred_set_type(made.get(), COSE_ES256), "make a credential");
    check(fido_cred_set_clientdata_hash(made.get(), hash.data(), hash.size()), "make a credential");
    check(fido_cred_set_rp(made.get(), kParty, kParty), "make a credential");
    check(fido_cred_set_user(made.get(), id.data(), id.size(), user.c_str(), user.c_str(), nullptr), "make a credential");
    check(fido_cred_set_extensions(made.get(), FIDO_EXT_HMAC_SECRET), "make a credential");
    Credential credential;
    credential.verifies = fido_dev_has_pin(device_.get());
    const auto* const code = pin(credential.verifies);
    tell();
    check(fido_dev_make_cred(device_.get(), made.get(), code), "make a credential with the extension hmac-secret");
    const auto* const bytes = fido_cred_id_ptr(made.get());
    credential.id.assign(bytes, bytes + fido_cred_id_len(made.get()));
    return credential;
  }

  std::optional<crypto::Key> secret(const Credential& credential, const crypto::Key& salt) override {
    const auto probe = ask_for(credential);
    check(fido_assert_set_up(probe.get(), FIDO_OPT_FALSE), "be asked");
    if (is_anothers(fido_dev_get_assert(device_.get(), probe.get(), nullptr))) return std::nullopt;

    const auto asked = ask_for(credential);
    check(fido_assert_set_extensions(asked.get(), FIDO_EXT_HMAC_SECRET), "be asked");
    check(fido_assert_set_hmac_salt(asked.get(), salt.expose().data(), salt.expose().size()), "be asked");
    const auto* const code = pin(credential.verifies);
    tell();
    const int status = fido_dev_get_assert(device_.get(), asked.get(), code);
    check(status, "give the secret");
    if (fido_assert_count(asked.get()) != 1 || fido_assert_hmac_secret_len(asked.get(), 0) != sizeof(crypto::Digest)) {
      throw Error(Code::failed, "gives no secret: it lacks the extension hmac-secret", path_);
    }
    return crypto::key_from({fido_assert_hmac_secret_ptr(asked.get(), 0), sizeof(crypto::Digest)});
  }

 private:
  using Assertion = std::unique_ptr<fido_assert_t, FreeAssertion>;

  void check(int status, const std::string& what) const {
    if (status == FIDO_OK) return;
    if (options_.interrupt != nullptr && options_.interrupt->raised()) {
      fido_dev_cancel(device_.get());
      options_.interrupt->check();
    }
    refuse(status, what, path_);
  }
  [[nodiscard]] Assertion ask_for(const Credential& credential) const {
    Assertion asked(fido_assert_new());
    if (!asked) throw Error(Code::failed, "no memory for it", path_);
    std::array<std::uint8_t, 32> hash;
    fill_random(hash);
    check(fido_assert_set_clientdata_hash(asked.get(), hash.data(), hash.size()), "be asked");
    check(fido_assert_set_rp(asked.get(), kParty), "be asked");
    check(fido_assert_allow_cred(asked.get(), credential.id.data(), credential.id.size()), "be asked");
    return asked;
  }
  void tell() const {
    if (options_.about_to_touch) options_.about_to_touch();
  }
  // Ended by a zero byte, in locked memory; null when none is wanted.
  const char* pin(bool wanted) {
    if (!wanted) return nullptr;
    if (!pin_) {
      if (!options_.ask_pin) refuse(FIDO_ERR_PIN_REQUIRED, {}, path_);
      const auto given = options_.ask_pin();
      if (given.empty()) throw Error(Code::wrong_password, "the PIN of a security key is not empty", path_);
      pin_.emplace(given.view().size() + 1);
      std::copy(given.view().begin(), given.view().end(), pin_->bytes().begin());
      pin_->bytes().back() = 0;
    }
    return reinterpret_cast<const char*>(pin_->bytes().data());
  }

  AuthenticatorOptions options_;
  std::string path_;
  std::unique_ptr<fido_dev_t, FreeDevice> device_;
  std::optional<crypto::LockedBytes> pin_;
};

}  // namespace

std::unique_ptr<Authenticator> open_authenticator(const AuthenticatorOptions& options) { return std::make_unique<Fido2>(options); }

}  // namespace mbu::keys

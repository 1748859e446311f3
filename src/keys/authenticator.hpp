// Authenticator: a FIDO2 security key that turns a salt into a secret which only it can compute (extension hmac-secret, CTAP 2.1 §12.5). The seam
// behind which the device is. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "crypto/secret.hpp"
#include "mbu/types/interrupt.hpp"
#include "mbu/types/password.hpp"

namespace mbu::keys {

class Authenticator {
 public:
  Authenticator() = default;
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;
  virtual ~Authenticator() = default;

  struct Credential {
    ByteBuffer id;
    bool verifies = false;  // asks for a PIN besides the touch
  };
  // A new one, not kept on the device. `user`: for the device's own displays. The user must touch it. Code::wrong_password for a wrong PIN or when nobody
  // touches it, Code::failed when the device cannot do it, Code::interrupted.
  [[nodiscard]] virtual Credential make_credential(const std::string& user) = 0;
  // What that credential makes of the salt; nothing when it is another device's, which is found out without its user. He must touch it then. Errors as
  // above.
  [[nodiscard]] virtual std::optional<crypto::Key> secret(const Credential& credential, const crypto::Key& salt) = 0;
};

struct AuthenticatorOptions {
  std::string device;                  // a path, "unix:PATH" for one behind a socket; empty: the only one that is plugged in
  std::function<Password()> ask_pin;   // called once at most; null: nobody to ask
  std::function<void()> about_to_touch;  // before each wait for a touch; may be null
  const Interrupt* interrupt = nullptr;  // ends such a wait; not owned
};

// By libfido2. Code::failed when there is none, or several and none is named.
[[nodiscard]] std::unique_ptr<Authenticator> open_authenticator(const AuthenticatorOptions& options);

}  // namespace mbu::keys

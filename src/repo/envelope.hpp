// The envelope that packs, indexes, snapshots, statements and locks share (FORMAT.md §6): a header that carries or names
// the object's key, and for all but packs one sealed, signed, compressed body.
//
// Pure but for randomness; any thread.
#pragma once

#include "crypto/hash.hpp"
#include "format/header.hpp"
#include "keys/keyring.hpp"

namespace mbu::repo {

struct ReadHeader {
  format::ObjectHeader header;
  ByteBuffer bytes;     // as it lies in the file
  crypto::Digest hash;  // HH of FORMAT.md
};
// A header with what it stands for.
struct OpenHeader : ReadHeader {
  crypto::Key key;  // K of FORMAT.md
};

// A new object's header in the keyring's own domain, under a new key.
[[nodiscard]] OpenHeader make_header(const keys::Keyring& keyring, format::ObjectKind kind);
// Reads the header at the start of `bytes`. Code::corrupt naming `subject`.
[[nodiscard]] ReadHeader read_header(const keys::Keyring& keyring, format::ObjectKind kind, ByteView bytes, const std::string& subject);
// The same, and gets its key and checks the commitment.
[[nodiscard]] OpenHeader open_header(const keys::Keyring& keyring, format::ObjectKind kind, ByteView bytes,
                                     const std::string& subject);

// The bytes of a whole object with `plain` as its body.
[[nodiscard]] ByteBuffer seal_object(const keys::Keyring& keyring, format::ObjectKind kind,
                                     const crypto::SigningKey& signer, ByteView plain);

struct OpenedObject {
  format::ObjectHeader header;
  PublicKey signer;
  ByteBuffer plain;
};

// Its inverse, signature verified. Whether the signer may sign such a thing is for the caller to say.
[[nodiscard]] OpenedObject open_object(const keys::Keyring& keyring, format::ObjectKind kind, ByteView bytes,
                                       const std::string& subject);

}  // namespace mbu::repo

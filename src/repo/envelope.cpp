#include "repo/envelope.hpp"

#include "base/random.hpp"
#include "crypto/aead.hpp"
#include "format/body.hpp"
#include "repo/compression.hpp"

namespace mbu::repo {
namespace {

crypto::Key shared_key(const keys::Keyring& keyring, const format::ObjectHeader& header, ByteView prefix) {
  const auto secret = header.kind == format::ObjectKind::index ? keyring.index_key(header.domain, header.generation)
                                                               : keyring.common().clone();
  return crypto::derive("mbu v1 shared object key", {crypto::view(secret), prefix});
}

std::array<std::uint8_t, 32> commitment_to(const crypto::Key& key, ByteView prefix) {
  return crypto::derive("mbu v1 key commitment", {crypto::view(key), prefix}).expose();
}

// What the owner says to all of them.
bool is_everybodys(format::ObjectKind kind) noexcept { return kind == format::ObjectKind::statement || kind == format::ObjectKind::lock; }

crypto::Key body_key(const crypto::Key& key) { return crypto::derive("mbu v1 body key", {crypto::view(key)}); }

}  // namespace

OpenHeader make_header(const keys::Keyring& keyring, format::ObjectKind kind) {
  OpenHeader open;
  auto& header = open.header;
  header.kind = kind;
  header.repository = keyring.repository();
  header.domain = is_everybodys(kind) ? format::kMainDomain : keyring.own_domain().id;
  header.generation = keyring.own_domain().generation;
  fill_random(header.random);
  const auto prefix = format::encode_header_prefix(header);
  if (header.mode() == format::KeyMode::sealed) {
    open.key = crypto::random_key();
    header.sealed_key = crypto::seal_key(keyring.sealing_public(), open.key);
  } else {
    open.key = shared_key(keyring, header, prefix);
  }
  header.commitment = commitment_to(open.key, prefix);
  open.bytes = format::encode_header(header);
  open.hash = crypto::sha256(open.bytes);
  return open;
}

ReadHeader read_header(const keys::Keyring& keyring, format::ObjectKind kind, ByteView bytes, const std::string& subject) {
  ReadHeader read;
  read.header = format::decode_header(bytes, kind, subject);
  if (read.header.repository != keyring.repository()) throw Error(Code::corrupt, "belongs to another repository", subject);
  const auto own = bytes.first(format::header_size(read.header));
  read.bytes.assign(own.begin(), own.end());
  read.hash = crypto::sha256(own);
  return read;
}

OpenHeader open_header(const keys::Keyring& keyring, format::ObjectKind kind, ByteView bytes,
                       const std::string& subject) {
  OpenHeader open{read_header(keyring, kind, bytes, subject), {}};
  const auto& header = open.header;
  const auto prefix = format::encode_header_prefix(header);
  open.key = header.mode() == format::KeyMode::sealed
                 ? keyring.open_sealed(header.generation, header.sealed_key, subject)
                 : shared_key(keyring, header, prefix);
  if (!crypto::equal_in_constant_time(commitment_to(open.key, prefix), header.commitment)) {
    throw Error(Code::corrupt, "its key is not the one its header commits to", subject);
  }
  return open;
}

ByteBuffer seal_object(const keys::Keyring& keyring, format::ObjectKind kind, const crypto::SigningKey& signer,
                       ByteView plain) {
  const auto open = make_header(keyring, kind);
  const auto frame = Compressor(Compression{}).frame(plain);
  const auto signed_part = format::encode_signed_part(static_cast<std::uint32_t>(plain.size()), frame);
  const auto signature = signer.sign(format::signature_message(kind, open.hash, crypto::sha256(signed_part)));

  const auto body = format::encode_body(signer.public_key(), signature, signed_part,
                                        format::padded_body_size(open.bytes.size(), signed_part.size()));

  ByteBuffer object = open.bytes;
  append(object, crypto::seal_once(body_key(open.key), open.hash, body));
  return object;
}

OpenedObject open_object(const keys::Keyring& keyring, format::ObjectKind kind, ByteView bytes,
                         const std::string& subject) {
  const auto open = open_header(keyring, kind, bytes, subject);
  const auto body_bytes =
      crypto::open_once(body_key(open.key), open.hash, bytes.subspan(open.bytes.size()), subject);
  const auto body = format::decode_body(body_bytes, subject);
  const auto message = format::signature_message(kind, open.hash, crypto::sha256(body.signed_part));
  if (!crypto::verify(body.signer, message, body.signature)) {
    throw Error(Code::corrupt, "its signature is not its signer's", subject);
  }
  OpenedObject object{open.header, body.signer, ByteBuffer(body.plain_length)};
  if (!Decompressor().decompress(body.compressed, object.plain)) {
    throw Error(Code::corrupt, "does not decompress", subject);
  }
  return object;
}

}  // namespace mbu::repo

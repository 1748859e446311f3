// What a writer's slot wraps. Apart from slot.cpp since these are secrets: no copy is left on the heap.
#include "format/flatbuffer.hpp"
#include "format/generated/slot_generated.h"
#include "format/slot.hpp"

namespace mbu::format {
namespace {

// Room for several generations: the builder seldom has to move what it holds.
constexpr std::size_t kBuilderSize = 4096;

template <class Generations>
bool ascend(const Generations& generations) {
  if (generations.empty()) return false;
  for (std::size_t i = 1; i < generations.size(); ++i) {
    if (generations[i - 1].generation >= generations[i].generation) return false;
  }
  return true;
}

}  // namespace

DomainSecret::~DomainSecret() { detail::wipe(secret); }

WriterCredential::~WriterCredential() {
  detail::wipe(signing_seed);
  detail::wipe(x25519_secret);
  detail::wipe(common_key);
}

ByteBuffer encode_writer_credential(const WriterCredential& credential) {
  if (!ascend(credential.domain_secrets) || !ascend(credential.sealing_keys)) {
    throw Error(Code::failed, "a credential's generations do not ascend");
  }
  detail::WipingAllocator allocator;
  flatbuffers::FlatBufferBuilder builder(kBuilderSize, &allocator);
  std::vector<flatbuffers::Offset<fb::DomainSecret>> secrets;
  for (const auto& domain : credential.domain_secrets) {
    secrets.push_back(fb::CreateDomainSecret(builder, domain.generation, detail::write_bytes(builder, domain.secret)));
  }
  std::vector<flatbuffers::Offset<fb::SealingPublicKey>> keys;
  for (const auto& sealing : credential.sealing_keys) {
    keys.push_back(
        fb::CreateSealingPublicKey(builder, sealing.generation, detail::write_bytes(builder, sealing.key.view())));
  }
  const auto seed = detail::write_bytes(builder, credential.signing_seed);
  const auto x25519 = detail::write_bytes(builder, credential.x25519_secret);
  const auto common = detail::write_bytes(builder, credential.common_key);
  const auto domain = detail::write_bytes(builder, credential.domain.view());
  const auto all_secrets = detail::write_tables(builder, secrets);
  const auto all_keys = detail::write_tables(builder, keys);
  builder.Finish(fb::CreateWriterCredential(builder, seed, x25519, common, domain, all_secrets, all_keys));
  return detail::take(builder);
}

WriterCredential decode_writer_credential(ByteView bytes, const std::string& subject) {
  detail::FlatReader reader(bytes, subject);
  const auto& root = reader.root<fb::WriterCredential>();
  WriterCredential credential;
  credential.signing_seed = reader.fixed<32>(root.signing_seed(), "has a signing seed of the wrong length");
  credential.x25519_secret = reader.fixed<32>(root.x25519_secret(), "has a key of the wrong length");
  credential.common_key = reader.fixed<32>(root.common_key(), "has a common key of the wrong length");
  credential.domain = reader.identifier<DomainId>(root.domain(), "has a domain of the wrong length");
  reader.for_each(root.domain_secrets(), [&](const fb::DomainSecret& domain) {
    auto& secret = credential.domain_secrets.emplace_back();
    secret.generation = domain.generation();
    secret.secret = reader.fixed<32>(domain.secret(), "has a domain secret of the wrong length");
  });
  reader.for_each(root.sealing_keys(), [&](const fb::SealingPublicKey& sealing) {
    auto& key = credential.sealing_keys.emplace_back();
    key.generation = sealing.generation();
    key.key = reader.identifier<PublicKey>(sealing.key(), "has a sealing key of the wrong length");
  });
  reader.require(ascend(credential.domain_secrets) && ascend(credential.sealing_keys),
                 "has generations that do not ascend");
  return credential;
}

}  // namespace mbu::format

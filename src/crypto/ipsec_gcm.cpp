// Of Intel's library only its direct functions are used: its manager is a table of functions for this processor, which nothing writes to
// once it is made, so that all threads share one.
#include "crypto/gcm.hpp"

#if defined(__x86_64__) && __has_include(<intel-ipsec-mb.h>)

#include <intel-ipsec-mb.h>
#include <sodium.h>

namespace mbu::crypto {
namespace {

// Null where OpenSSL is to be used.
IMB_MGR* make_manager() {
  // The library looks at what the processor can do, the compiler's functions also at what the kernel saves of it.
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  if (!wide && !__builtin_cpu_supports("avx2")) return nullptr;
  IMB_MGR* manager = alloc_mb_mgr(0);
  if (manager == nullptr) return nullptr;
  const auto is_fit = [manager] {
    constexpr std::uint64_t kNeeded = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_SELF_TEST_PASS;
    return imb_get_errno(manager) == 0 && (manager->features & kNeeded) == kNeeded;
  };
  if (wide) init_mb_mgr_avx512(manager);
  if (!wide || !is_fit()) init_mb_mgr_avx2(manager);
  if (is_fit()) return manager;
  free_mb_mgr(manager);
  return nullptr;
}

const IMB_MGR* manager() {
  static const IMB_MGR* const made = make_manager();
  return made;
}

// The library refuses null pointers, also to nothing.
const std::uint8_t* start_of(ByteView bytes) {
  static constexpr std::uint8_t kNothing = 0;
  return bytes.empty() ? &kNothing : bytes.data();
}

class IpsecGcm final : public Gcm {
 public:
  explicit IpsecGcm(const Key& key) { IMB_AES256_GCM_PRE(manager(), key.expose().data(), &key_); }
  ~IpsecGcm() override {
    sodium_memzero(&key_, sizeof key_);
    sodium_memzero(&state_, sizeof state_);
  }

  Tag seal(const Nonce& nonce, ByteView additional, ByteView plain, MutableBytes sealed) override {
    Tag tag;
    std::uint8_t nowhere = 0;
    auto* const to = sealed.empty() ? &nowhere : sealed.data();
    IMB_AES256_GCM_ENC(manager(), &key_, &state_, to, start_of(plain), plain.size(), nonce.data(), start_of(additional),
                       additional.size(), tag.data(), tag.size());
    return tag;
  }

  bool open(const Nonce& nonce, ByteView additional, ByteView sealed, const Tag& tag, MutableBytes plain) override {
    Tag computed;
    std::uint8_t nowhere = 0;
    auto* const to = plain.empty() ? &nowhere : plain.data();
    IMB_AES256_GCM_DEC(manager(), &key_, &state_, to, start_of(sealed), sealed.size(), nonce.data(), start_of(additional),
                       additional.size(), computed.data(), computed.size());
    return sodium_memcmp(computed.data(), tag.data(), tag.size()) == 0;
  }

 private:
  // The header asks for this alignment only where the library itself is built, its code wherever it runs.
  alignas(64) gcm_key_data key_{};
  alignas(64) gcm_context_data state_{};
};

}  // namespace

std::unique_ptr<Gcm> make_ipsec_gcm(const Key& key) {
  return manager() == nullptr ? nullptr : std::make_unique<IpsecGcm>(key);
}

}  // namespace mbu::crypto

#else

namespace mbu::crypto {

std::unique_ptr<Gcm> make_ipsec_gcm(const Key&) { return nullptr; }

}  // namespace mbu::crypto

#endif

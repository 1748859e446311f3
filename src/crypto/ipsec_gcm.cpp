// Of Intel's library only its direct functions are used. Its manager is to them a table of functions for this processor, which they neither get nor
// write to, so that all threads share one. (What they do write is an error number that all share, and nobody reads.)
#include "crypto/gcm.hpp"

#ifdef MBU_HAS_IPSEC_MB

#include <intel-ipsec-mb.h>
#include <sodium.h>

namespace mbu::crypto {
namespace {

// All that the library's initialisers want, which end in a null pointer's function where something is missing. The compiler's test also
// knows what the kernel saves of the registers.
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
}
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

const IMB_MGR* make_manager(Vectors vectors) {
  // Structures grow from version to version under one name of the library.
  if (imb_get_version() != IMB_VERSION_NUM || !has_avx2()) return nullptr;
  IMB_MGR* manager = alloc_mb_mgr(0);
  if (manager == nullptr) return nullptr;
  if (vectors == Vectors::widest && has_avx512()) {
    init_mb_mgr_avx512(manager);
  } else {
    init_mb_mgr_avx2(manager);
  }
  if (imb_get_errno(manager) == 0 && (manager->features & IMB_FEATURE_SELF_TEST_PASS) != 0) return manager;
  free_mb_mgr(manager);
  return nullptr;
}

const IMB_MGR* manager_for(Vectors vectors) {
  static const IMB_MGR* const widest = make_manager(Vectors::widest);
  if (vectors == Vectors::widest) return widest;
  static const IMB_MGR* const avx2 = make_manager(Vectors::avx2);
  return avx2;
}

// That null will do where nothing is read is documented nowhere.
const std::uint8_t* start_of(ByteView bytes) {
  static constexpr std::uint8_t kNothing = 0;
  return bytes.empty() ? &kNothing : bytes.data();
}

class IpsecGcm final : public Gcm {
 public:
  IpsecGcm(const Key& key, const IMB_MGR* manager) : manager_(manager) {
    IMB_AES256_GCM_PRE(manager_, key.expose().data(), &key_);
  }
  ~IpsecGcm() override {
    sodium_memzero(&key_, sizeof key_);
    sodium_memzero(&state_, sizeof state_);
  }

  Tag seal(const Nonce& nonce, ByteView additional, ByteView plain, MutableBytes sealed) override {
    Tag tag{};
    std::uint8_t nowhere = 0;
    auto* const to = sealed.empty() ? &nowhere : sealed.data();
    IMB_AES256_GCM_ENC(manager_, &key_, &state_, to, start_of(plain), plain.size(), nonce.data(), start_of(additional),
                       additional.size(), tag.data(), tag.size());
    return tag;
  }

  bool open(const Nonce& nonce, ByteView additional, ByteView sealed, const Tag& tag, MutableBytes plain) override {
    Tag computed{};
    std::uint8_t nowhere = 0;
    auto* const to = plain.empty() ? &nowhere : plain.data();
    IMB_AES256_GCM_DEC(manager_, &key_, &state_, to, start_of(sealed), sealed.size(), nonce.data(), start_of(additional),
                       additional.size(), computed.data(), computed.size());
    return sodium_memcmp(computed.data(), tag.data(), tag.size()) == 0;
  }

 private:
  const IMB_MGR* manager_;
  // The header asks for this alignment only where the library itself is built, its code wherever it runs.
  alignas(64) gcm_key_data key_{};
  alignas(64) gcm_context_data state_{};
};

}  // namespace

std::unique_ptr<Gcm> make_ipsec_gcm(const Key& key, Vectors vectors) {
  const auto* manager = manager_for(vectors);
  return manager == nullptr ? nullptr : std::make_unique<IpsecGcm>(key, manager);
}

}  // namespace mbu::crypto

#else

namespace mbu::crypto {

std::unique_ptr<Gcm> make_ipsec_gcm(const Key&, Vectors) { return nullptr; }

}  // namespace mbu::crypto

#endif

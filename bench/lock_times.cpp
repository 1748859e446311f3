// How long the locks of a program are held:  LD_PRELOAD=libbench_lock_times.so LOCK_TIMES=FILE program ...
//
// Stands between the program and pthread_mutex_lock(3). Writes a line for each place in the program's own code that locks: its offset in
// the program, that of its caller, how often, seconds held altogether and at most, seconds waited altogether. bench/locks gives the places names. A wait on a
// condition variable is not held. Reading the clock costs some 50 ns a lock, which the times include.
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <time.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

using Clock = std::uint64_t;  // nanoseconds

Clock now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<Clock>(time.tv_sec) * 1'000'000'000 + static_cast<Clock>(time.tv_nsec);
}

struct Place {
  std::atomic<std::uintptr_t> key{0};
  std::atomic<std::uintptr_t> caller{0}, callers_caller{0};
  std::atomic<std::uint64_t> count{0}, held{0}, longest{0}, waited{0};
};
std::array<Place, 4096> places;  // open addressing; more places than a program has

Place& place_of(std::uintptr_t caller, std::uintptr_t callers_caller) {
  const auto key = caller ^ callers_caller << 20;
  for (std::size_t i = key * 11 % places.size();; i = (i + 1) % places.size()) {
    std::uintptr_t expected = 0;
    if (!places[i].key.compare_exchange_strong(expected, key) && expected != key) continue;
    places[i].caller = caller;
    places[i].callers_caller = callers_caller;
    return places[i];
  }
}

struct Held {
  pthread_mutex_t* mutex;
  Place* place;
  Clock since;
};
thread_local std::array<Held, 64> held;
thread_local std::size_t depth = 0;

void begin(pthread_mutex_t* mutex, Place& place, Clock since) {
  if (depth < held.size()) held[depth++] = {mutex, &place, since};
}

// The place that locked it; null when that was not seen.
Place* end(pthread_mutex_t* mutex) {
  for (std::size_t i = depth; i-- > 0;) {
    if (held[i].mutex != mutex) continue;
    auto& place = *held[i].place;
    const auto time = now() - held[i].since;
    place.held += time;
    for (auto most = place.longest.load(); time > most && !place.longest.compare_exchange_weak(most, time);) {
    }
    held[i] = held[--depth];
    return &place;
  }
  return nullptr;
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

std::uintptr_t program_base = 0, program_end = 0;

[[gnu::constructor]] void start() {
  const auto look = [](dl_phdr_info* info, std::size_t, void*) {  // the program comes first
    program_base = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
      const auto& part = info->dlpi_phdr[i];
      if (part.p_type == PT_LOAD) program_end = program_base + part.p_vaddr + part.p_memsz;
    }
    return 1;
  };
  ::dl_iterate_phdr(look, nullptr);
}

[[gnu::destructor]] void report() {
  const char* path = std::getenv("LOCK_TIMES");
  std::FILE* out = path == nullptr ? stderr : std::fopen(path, "we");
  if (out == nullptr) return;
  for (const auto& place : places) {
    if (place.count == 0) continue;
    std::fprintf(out, "%lx %lx %lu %.9f %.9f %.9f\n", place.caller - program_base,
                 place.callers_caller == 0 ? 0 : place.callers_caller - program_base, place.count.load(), static_cast<double>(place.held) * 1e-9,
                 static_cast<double>(place.longest) * 1e-9, static_cast<double>(place.waited) * 1e-9);
  }
}

}  // namespace

extern "C" {

int pthread_mutex_lock(pthread_mutex_t* mutex) {
  static auto* const lock = real<int(pthread_mutex_t*)>("pthread_mutex_lock");
  static auto* const try_lock = real<int(pthread_mutex_t*)>("pthread_mutex_trylock");
  const auto caller = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  // Only the program keeps frame pointers, by its preset.
  const bool ours = caller >= program_base && caller < program_end;
#pragma GCC diagnostic ignored "-Wframe-address"
  auto& place = place_of(caller, ours ? reinterpret_cast<std::uintptr_t>(__builtin_return_address(1)) : 0);
  int result = try_lock(mutex);
  if (result != 0) {
    const auto before = now();
    result = lock(mutex);
    place.waited += now() - before;
  }
  if (result == 0) {
    ++place.count;
    begin(mutex, place, now());
  }
  return result;
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) {
  static auto* const unlock = real<int(pthread_mutex_t*)>("pthread_mutex_unlock");
  (void)end(mutex);
  return unlock(mutex);
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  static auto* const wait = real<int(pthread_cond_t*, pthread_mutex_t*)>("pthread_cond_wait");
  auto* const place = end(mutex);
  const int result = wait(condition, mutex);
  if (place != nullptr) begin(mutex, *place, now());
  return result;
}

}  // extern "C"

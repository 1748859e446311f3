// A UNIX-domain socket on which a process says something to whoever connects: no questions, one answer, closed. What it costs while nobody
// connects is a sleeping thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "os/file.hpp"

namespace mbu::os {

class LocalService {
 public:
  // Listens at `directory`/`name`, in the place of what was there. `answer` is called from another thread and must not throw. Code::failed.
  LocalService(const std::string& directory, const std::string& name, std::function<std::string()> answer);
  LocalService(const LocalService&) = delete;
  LocalService& operator=(const LocalService&) = delete;
  // Takes the socket away.
  ~LocalService();

 private:
  void serve(const std::function<std::string()>& answer) const;

  std::string path_;
  Fd listener_;
  Fd stop_read_, stop_write_;
  std::jthread thread_;
};

// What the process that listens there says; nothing when none does. One that says nothing in five seconds counts as none.
[[nodiscard]] std::optional<std::string> ask_local_service(const std::string& directory, const std::string& name);

}  // namespace mbu::os

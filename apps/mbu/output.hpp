// Standard output, buffered. Whoever writes results checks them: a full disk behind a redirection is an error, and a reader
// that has gone away (`mbu ls | head`) ends the program as quietly as any other in a pipeline. One thread at a time.
#pragma once

#include <string>
#include <string_view>

namespace mbu::cli {

class Output {
 public:
  Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Throw Code::failed when it cannot be written. Do not return when nobody reads.
  void write(std::string_view bytes);
  void line(std::string_view text);
  void flush();

  // Writes a line now, if it can be: for what is said on the way. A failure is reported by the next flush().
  void offer_line(std::string_view text) noexcept;

 private:
  std::string buffer_;
  int failure_ = 0;  // errno of the first write that failed
};

// To standard error, unbuffered, in one piece.
void write_to_error(std::string_view text) noexcept;

[[nodiscard]] bool is_terminal(int fd) noexcept;

}  // namespace mbu::cli

#include "recovery_page.hpp"

#include <fmt/format.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "qr_code.hpp"

namespace mbu::cli {
namespace {

std::string_view text_of(const Password& lines) { return {reinterpret_cast<const char*>(lines.view().data()), lines.view().size()}; }

void print_lines(Output& output, const Password& lines) {
  auto rest = text_of(lines);
  for (int number = 1; !rest.empty(); ++number) {
    const auto end = std::min(rest.find('\n'), rest.size());
    output.write(fmt::format("  {}: ", number));
    output.line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

// The characters alone, which `key recover` takes as well as lines.
QrCode code_of(const Password& lines) {
  const auto text = text_of(lines);
  std::string scanned;
  scanned.reserve(text.size());  // so that it lies in one place, which is wiped whole
  std::ranges::copy_if(text, std::back_inserter(scanned), [](char c) { return c != ' ' && c != '\n'; });
  QrCode code(scanned);
  ::explicit_bzero(scanned.data(), scanned.size());
  return code;
}

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&': html += "&amp;"; break;
      case '<': html += "&lt;"; break;
      case '>': html += "&gt;"; break;
      default: html += c;
    }
  }
  return html;
}

}  // namespace

void print_text(Output& output, const RecoveryPage& page) {
  output.line(page.title);
  output.line(page.warning);
  output.line("");
  print_lines(output, page.lines);
  output.line("");
  if (writes_utf8()) output.line(code_of(page.lines).text(is_terminal(STDOUT_FILENO)));
  output.line("To use it: " + page.use);
}

void begin_html(Output& output, const std::string& title) {
  output.line("<!DOCTYPE html>");
  output.line("<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + escaped(title) + "</title>");
  output.line("<style>body{font-family:sans-serif;max-width:45em;margin:2em auto}section{break-after:page}"
              "pre{font:1.4em monospace}svg{width:7cm;height:7cm}code{word-break:break-all}</style></head><body>");
}

void print_html(Output& output, const RecoveryPage& page) {
  output.line("<section><h1>" + escaped(page.title) + "</h1>");
  output.line("<p>" + escaped(page.warning) + "</p><pre>");
  print_lines(output, page.lines);
  const QrCode code = code_of(page.lines);
  output.line(fmt::format("</pre><svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-4 -4 {0} {0}\"><path d=\"{1}\"/></svg>", code.size() + 8, code.path()));
  output.line("<p>To use it: <code>" + escaped(page.use) + "</code></p></section>");
}

void end_html(Output& output) { output.line("</body></html>"); }

}  // namespace mbu::cli

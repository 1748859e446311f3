// A recovery sheet, or one share of it, as a page for paper: a heading, numbered lines, and a QR code of these. On its way to standard output it passes
// through ordinary memory, which is not overwritten.
#pragma once

#include <string>

#include "mbu/types/password.hpp"
#include "output.hpp"

namespace mbu::cli {

struct RecoveryPage {
  std::string title;
  std::string warning;  // what it is worth
  Password lines;       // as Repository::recovery_sheet() or recovery_shares() made it
  std::string use;      // the command that takes it
};

// For a terminal or a printer of text; with a QR code where the locale is UTF-8.
void print_text(Output& output, const RecoveryPage& page);

// One HTML document: begin, pages, end. A browser prints each page on a sheet of its own.
void begin_html(Output& output, const std::string& title);
void print_html(Output& output, const RecoveryPage& page);
void end_html(Output& output);

}  // namespace mbu::cli

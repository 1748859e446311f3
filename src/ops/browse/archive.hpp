// ArchiveWriter: a stream of entries as tar or zip. What dump makes of a directory; for dump.cpp alone.
//
// tar is POSIX pax: names and attributes of any bytes and length, times in nanoseconds, sparse files in GNU's form 1.0.
// A name that is not UTF-8 is marked with `hdrcharset=BINARY`, as POSIX says; GNU tar takes it as it is and warns. zip holds
// regular files, directories and symlinks, times in seconds, no owners' names, attributes, links or holes.
// One thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "format/entry.hpp"

namespace mbu::ops {

class ArchiveWriter {
 public:
  enum class Format { tar, zip };

  // `write` gets the archive's bytes in order and must outlive this; what it throws comes out of the call that wrote.
  ArchiveWriter(Format format, const std::function<void(ByteView)>& write);
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;
  // Without finish() the archive has no end, so that nobody takes it for whole.
  ~ArchiveWriter();

  // Begins an entry. `runs`: where a sparse file has data; null for others. `linked_to`: the name in the archive whose file this
  // is another name of, and then no data follows; empty: none. False: the format has no such entries, and it was left out.
  [[nodiscard]] bool begin(const std::string& name, const format::Entry& entry,
                           const std::vector<format::DataRun>* runs, const std::string& linked_to);
  // Bytes of the entry begun last; holes come as zero bytes, which tar leaves out where `runs` says so.
  void data(ByteView bytes);
  void finish();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace mbu::ops

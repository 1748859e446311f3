// libarchive writes names as UTF-8 or as they are, by an option that is set before the first entry, and by the thread's locale.
// A tree holds names of both kinds, so there are two writers to one output, which works since a tar is nothing but its
// entries one after another: only one of them writes the end. zip has one directory at its end and hence one writer; the flag
// for UTF-8 names follows the locale at each entry.
#include "ops/browse/archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <exception>
#include <locale.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/utf8.hpp"

namespace mbu::ops {
namespace {

constexpr std::size_t kOutputPiece = 64 * 1024;

// A locale for this thread as long as it lives; null changes nothing.
class ScopedLocale {
 public:
  explicit ScopedLocale(locale_t locale) : before_(locale == nullptr ? nullptr : ::uselocale(locale)) {}
  ScopedLocale(const ScopedLocale&) = delete;
  ScopedLocale& operator=(const ScopedLocale&) = delete;
  ~ScopedLocale() {
    if (before_ != nullptr) ::uselocale(before_);
  }

 private:
  locale_t before_;
};

struct FreeLocale {
  using pointer = locale_t;
  void operator()(locale_t locale) const { ::freelocale(locale); }
};
using OwnedLocale = std::unique_ptr<std::remove_pointer_t<locale_t>, FreeLocale>;

OwnedLocale ctype_locale(const char* name) { return OwnedLocale(::newlocale(LC_CTYPE_MASK, name, nullptr)); }

struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
// A writer that is freed would write the archive's end first, unless it has failed.
struct AbandonWriter {
  void operator()(archive* writer) const {
    archive_write_fail(writer);
    archive_write_free(writer);
  }
};
using OwnedWriter = std::unique_ptr<archive, AbandonWriter>;

mode_t type_bits(EntryType type) {
  switch (type) {
    case EntryType::directory: return S_IFDIR;
    case EntryType::regular: return S_IFREG;
    case EntryType::symlink: return S_IFLNK;
    case EntryType::fifo: return S_IFIFO;
    case EntryType::socket: return S_IFSOCK;
    case EntryType::character_device: return S_IFCHR;
    case EntryType::block_device: return S_IFBLK;
  }
  return S_IFREG;
}

bool all_utf8(const std::string& name, const format::Entry& entry, const std::string& linked_to) {
  return is_utf8(name) && is_utf8(entry.target) && is_utf8(linked_to) && is_utf8(entry.user) && is_utf8(entry.group);
}

// libarchive writes the seconds, a dot and the nanoseconds of what it is given: right for times before 1970 only when both count
// away from zero. Within the second before 1970 there is no such pair, and the fraction is lost.
void set_mtime(archive_entry* to, FileTime mtime) {
  constexpr long kSecond = 1'000'000'000;
  auto nanoseconds = static_cast<long>(mtime.nanoseconds);
  if (mtime.seconds < 0 && nanoseconds > 0) {
    nanoseconds = mtime.seconds == -1 ? 0 : kSecond - nanoseconds;
    if (mtime.seconds != -1) ++mtime.seconds;
  }
  archive_entry_set_mtime(to, mtime.seconds, nanoseconds);
}

void set_content(archive_entry* to, const format::Entry& entry, const std::vector<format::DataRun>* runs,
                 const std::string& linked_to) {
  if (!linked_to.empty()) {
    archive_entry_copy_hardlink(to, linked_to.c_str());
    archive_entry_unset_size(to);
    return;
  }
  if (entry.type == EntryType::symlink) archive_entry_copy_symlink(to, entry.target.c_str());
  if (entry.type == EntryType::character_device || entry.type == EntryType::block_device) {
    archive_entry_set_rdevmajor(to, static_cast<dev_t>(entry.rdev >> 32));
    archive_entry_set_rdevminor(to, static_cast<dev_t>(entry.rdev & 0xffff'ffffU));
  }
  const auto size = static_cast<la_int64_t>(entry.is_regular() ? entry.size : 0);
  archive_entry_set_size(to, size);
  if (runs == nullptr) return;
  for (const auto& run : *runs) {
    archive_entry_sparse_add_entry(to, static_cast<la_int64_t>(run.offset), static_cast<la_int64_t>(run.length));
  }
  if (runs->empty()) archive_entry_sparse_add_entry(to, size, 0);  // one hole
}

}  // namespace

struct ArchiveWriter::Parts {
  Parts(Format wanted, const std::function<void(ByteView)>& to) : format(wanted), write(to) {}

  // Small pieces are gathered: libarchive hands out every header by itself.
  void output(ByteView bytes) {
    if (pending.size() + bytes.size() > kOutputPiece) flush();
    if (bytes.size() >= kOutputPiece) {
      write(bytes);
    } else {
      append(pending, bytes);
    }
  }
  void flush() {
    if (!pending.empty()) write(pending);
    pending.clear();
  }

  [[nodiscard]] OwnedWriter open(bool binary_names);
  // Throws what went wrong during a call on `from` that returned `result`, if anything did.
  void require(la_ssize_t result, archive* from);

  Format format;
  const std::function<void(ByteView)>& write;
  ByteBuffer pending;
  std::exception_ptr thrown;  // by `write`: exceptions must not cross libarchive
  OwnedLocale utf8 = ctype_locale("C.UTF-8");
  OwnedLocale plain = ctype_locale("C");
  OwnedWriter names_utf8;
  OwnedWriter names_binary;    // none for zip
  archive* current = nullptr;  // the one that the last entry went to
};

OwnedWriter ArchiveWriter::Parts::open(bool binary_names) {
  OwnedWriter owned(archive_write_new());
  if (!owned) throw std::bad_alloc();
  archive* made = owned.get();
  if (format == Format::zip) {
    require(archive_write_set_format_zip(made), made);
  } else {
    require(archive_write_set_format_pax(made), made);
    require(archive_write_set_options(made, binary_names ? "pax:xattrheader=SCHILY,pax:hdrcharset=BINARY"
                                                         : "pax:xattrheader=SCHILY"), made);
  }
  require(archive_write_set_bytes_per_block(made, 0), made);
  const auto forward = [](archive*, void* self, const void* bytes, std::size_t size) -> la_ssize_t {
    auto& parts = *static_cast<Parts*>(self);
    try {
      parts.output({static_cast<const std::uint8_t*>(bytes), size});
      return static_cast<la_ssize_t>(size);
    } catch (...) {
      parts.thrown = std::current_exception();
      return -1;
    }
  };
  require(archive_write_open(made, this, nullptr, forward, nullptr), made);
  return owned;
}

void ArchiveWriter::Parts::require(la_ssize_t result, archive* from) {
  if (thrown) std::rethrow_exception(std::exchange(thrown, nullptr));
  if (result >= 0 || result == ARCHIVE_WARN) return;
  const char* why = archive_error_string(from);
  throw Error(Code::failed, "the archive cannot be written: " + std::string(why == nullptr ? "unknown failure" : why));
}

ArchiveWriter::ArchiveWriter(Format format, const std::function<void(ByteView)>& write)
    : parts_(std::make_unique<Parts>(format, write)) {
  const ScopedLocale locale(parts_->utf8.get());
  parts_->names_utf8 = parts_->open(parts_->utf8 == nullptr);
  if (format == Format::tar) parts_->names_binary = parts_->open(true);
  parts_->current = parts_->names_utf8.get();
}

ArchiveWriter::~ArchiveWriter() = default;

bool ArchiveWriter::begin(const std::string& name, const format::Entry& entry,
                          const std::vector<format::DataRun>* runs, const std::string& linked_to) {
  const bool tar = parts_->format == Format::tar;
  const std::unique_ptr<archive_entry, FreeEntry> header(archive_entry_new());
  if (!header) throw std::bad_alloc();
  archive_entry* to = header.get();
  archive_entry_copy_pathname(to, name.c_str());
  archive_entry_set_mode(to, type_bits(entry.type) | entry.mode);
  archive_entry_set_uid(to, entry.uid);
  archive_entry_set_gid(to, entry.gid);
  if (!entry.user.empty()) archive_entry_copy_uname(to, entry.user.c_str());
  if (!entry.group.empty()) archive_entry_copy_gname(to, entry.group.c_str());
  set_mtime(to, entry.mtime);
  set_content(to, entry, tar ? runs : nullptr, tar ? linked_to : std::string());
  if (tar && linked_to.empty()) {
    for (const auto& attribute : entry.attributes) {
      archive_entry_xattr_add_entry(to, attribute.name.c_str(), attribute.value.data(), attribute.value.size());
    }
  }

  // What the writer before has begun must be whole before another goes on.
  const bool utf8 = all_utf8(name, entry, linked_to);
  archive* writer = (utf8 || !tar ? parts_->names_utf8 : parts_->names_binary).get();
  if (writer != parts_->current) parts_->require(archive_write_finish_entry(parts_->current), parts_->current);
  parts_->current = writer;
  const ScopedLocale locale(utf8 ? parts_->utf8.get() : parts_->plain.get());
  const int result = archive_write_header(writer, to);
  if (result == ARCHIVE_FAILED && !parts_->thrown) return false;
  parts_->require(result, writer);
  return true;
}

void ArchiveWriter::data(ByteView bytes) {
  while (!bytes.empty()) {
    const auto written = archive_write_data(parts_->current, bytes.data(), bytes.size());
    parts_->require(written, parts_->current);
    if (written == 0) throw Error(Code::failed, "the archive takes fewer bytes than a file has");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void ArchiveWriter::finish() {
  archive* last = parts_->current;
  parts_->require(archive_write_finish_entry(last), last);
  parts_->require(archive_write_close(last), last);
  parts_->flush();
}

}  // namespace mbu::ops

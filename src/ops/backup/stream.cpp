#include "ops/backup/stream.hpp"

#include <unistd.h>

#include "format/page.hpp"
#include "ingest/file_packer.hpp"
#include "os/status.hpp"

namespace mbu::ops {
namespace {

using format::Entry;

std::vector<std::string> components(const std::string& path) {
  std::vector<std::string> names;
  for (std::size_t start = 0; start < path.size();) {
    const auto end = std::min(path.find('/', start), path.size());
    if (end > start) names.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return names;
}

Entry owned_by_caller(const std::string& name, EntryType type, std::uint16_t mode) {
  if (!format::is_valid_name(name)) throw Error(Code::usage, "is no name for a file", name);
  Entry entry;
  entry.name = name;
  entry.type = type;
  entry.mode = mode;
  entry.uid = ::geteuid();
  entry.gid = ::getegid();
  entry.user = os::user_name(entry.uid);
  entry.group = os::group_name(entry.gid);
  return entry;
}

}  // namespace

ingest::PackageResult package_stream(const repo::Context& context, ingest::ChunkStore& store, const std::string& path,
                                     const std::function<std::size_t(MutableBytes)>& read) {
  const auto names = components(path);
  if (names.empty()) throw Error(Code::usage, "is no name for a file", path);
  auto& sink = store.make_sink();
  const auto& domain = context.vault.keyring().own_domain();
  const auto& c = context.vault.constitution().chunker;
  ingest::FilePacker packer(chunk::Chunker(domain.gear, {c.minimum, c.normal, c.maximum}), sink);

  std::uint64_t so_far = 0;
  auto packed = packer.pack_stream([&](MutableBytes to) {
    context.interrupt.check();
    const auto got = read(to);
    so_far += got;
    if (context.events.progress_due()) context.events.progress({0, so_far, 1, so_far, false, path});
    return got;
  }, {.name = names.back()});

  ingest::PackageResult result;
  Entry entry = owned_by_caller(names.back(), EntryType::regular, 0600);
  entry.mtime = system_clock().wall();
  entry.size = packed.bytes;
  entry.content = std::move(packed.content);
  result.files = 1;
  result.bytes = packed.bytes;
  result.counts.files_new = 1;
  result.counts.bytes_read = packed.bytes;
  for (std::size_t depth = names.size(); depth-- > 0;) {
    format::Page page;
    page.entries.push_back(std::move(entry));
    result.root = sink.put(format::BlockRole::page, format::encode_page(page));
    if (depth == 0) break;
    ++result.counts.dirs_new;
    entry = owned_by_caller(names[depth - 1], EntryType::directory, 0700);
    entry.directory = result.root;
    entry.directory_files = 1;
    entry.directory_dirs = result.directories++;
    entry.directory_bytes = packed.bytes;
  }
  return result;
}

}  // namespace mbu::ops

#include "ops/browse/dump.hpp"

#include <array>
#include <unordered_map>

#include "ops/browse/archive.hpp"
#include "ops/browse/read_ahead.hpp"
#include "tree/reader.hpp"

namespace mbu::ops {
namespace {

using Write = std::function<void(ByteView)>;

// Files from this size on are read by all workers.
constexpr std::uint64_t kReadAhead = 16U << 20;

Error damaged(const std::string& path, const std::string& what) { return Error(Code::corrupt, what, path); }

// At most 8 MiB of zeros, and no more than `wanted`. Not const, so that they take no room in the program; nobody writes to them, so
// that they take none in memory.
ByteView zeros(std::uint64_t wanted) {
  static std::array<std::uint8_t, 8 << 20> bytes;
  return ByteView(bytes).first(static_cast<std::size_t>(std::min<std::uint64_t>(wanted, bytes.size())));
}

// A file's bytes from the pieces of its data: puts the holes between them.
class HoleFiller {
 public:
  HoleFiller(const std::vector<format::DataRun>& runs, std::uint64_t size, const std::string& path,
             const Interrupt& interrupt, const Write& write)
      : run_(runs.begin()), end_(runs.end()), size_(size), path_(path), interrupt_(interrupt), write_(write) {}

  void data(ByteView piece) {
    interrupt_.check();
    while (!piece.empty()) {
      if (run_ == end_) throw damaged(path_, "has more data than its size says");
      fill_to(run_->offset);
      const auto left = run_->offset + run_->length - position_;
      const auto part = piece.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size())));
      write_(part);
      position_ += part.size();
      piece = piece.subspan(part.size());
      if (part.size() == left) ++run_;
    }
  }
  void finish() {
    if (run_ != end_) throw damaged(path_, "has less data than its size says");
    fill_to(size_);
  }

 private:
  void fill_to(std::uint64_t offset) {
    while (position_ < offset) {
      interrupt_.check();
      const auto piece = zeros(offset - position_);
      write_(piece);
      position_ += piece.size();
    }
  }

  std::vector<format::DataRun>::const_iterator run_;
  std::vector<format::DataRun>::const_iterator end_;
  std::uint64_t size_;
  std::uint64_t position_ = 0;
  const std::string& path_;
  const Interrupt& interrupt_;
  const Write& write_;
};

class Dump {
 public:
  Dump(const repo::Context& context, const repo::ChunkIndex& index, const Write& write)
      : context_(context), index_(index), reader_(context.vault, index), write_(write) {}

  void path(const ChunkId& root, const std::string& path, const std::string& archive) {
    const bool everything = path.find_first_not_of('/') == std::string::npos;
    const auto found = everything ? std::nullopt : reader_.find_path(root, path);
    if (!everything && !found) {
      throw Error(Code::not_found, "is not in the snapshot", path, "list what there is: mbu ls SNAPSHOT");
    }
    if (everything || found->entry.is_directory()) {
      format_ = archive_format(archive);
      ArchiveWriter archive_writer(format_, write_);
      archive_ = &archive_writer;
      if (everything) {
        directory(root, {});
      } else {
        one(found->entry, found->inline_chunk, archive_name(path));
      }
      archive_writer.finish();
    } else if (found->entry.is_regular()) {
      file(found->entry, found->inline_chunk, reader_.data_runs(found->entry, path), path, write_);
    } else {
      throw Error(Code::failed, "is neither a file nor a directory: there are no bytes to dump", path,
                  "dump the directory it is in");
    }
  }

 private:
  static ArchiveWriter::Format archive_format(const std::string& archive) {
    if (archive.empty() || archive == "tar") return ArchiveWriter::Format::tar;
    if (archive == "zip") return ArchiveWriter::Format::zip;
    throw Error(Code::usage, "there is no such kind of archive", archive, "tar or zip");
  }

  // The path's components joined by single slashes.
  static std::string archive_name(const std::string& path) {
    std::string name;
    for (const char c : path) {
      if (c != '/' || (!name.empty() && name.back() != '/')) name += c;
    }
    if (name.ends_with('/')) name.pop_back();
    return name;
  }

  // `name`: of the directory in the archive, empty for the snapshot's root.
  void directory(const ChunkId& id, const std::string& name) {
    context_.interrupt.check();
    reader_.for_each_leaf(id, '/' + name, [&](format::Page&& page) {
      for (const auto& entry : page.entries) {
        one(entry, page.inline_chunk, name.empty() ? entry.name : name + '/' + entry.name);
      }
    });
  }

  void one(const format::Entry& entry, const ChunkId& inline_chunk, const std::string& name) {
    context_.interrupt.check();
    const std::string path = '/' + name;
    if (entry.type == EntryType::socket) return leave_out(path, "is a socket");
    const auto linked_to = first_name(entry, name);
    const bool has_data = entry.is_regular() && linked_to.empty();
    const auto runs = has_data ? reader_.data_runs(entry, path) : std::vector<format::DataRun>{};
    if (!archive_->begin(name, entry, has_data && entry.sparse ? &runs : nullptr, linked_to)) {
      return leave_out(path, "is of a kind that this archive cannot hold");
    }
    if (has_data) file(entry, inline_chunk, runs, path, [this](ByteView bytes) { archive_->data(bytes); });
    if (!entry.is_directory()) return;
    if (entry.directory.is_zero()) {
      context_.events.warning(path + ": could not be read when it was packaged: empty in the archive");
    } else {
      directory(entry.directory, name);
    }
  }

  void leave_out(const std::string& path, const std::string& why) {
    context_.events.note(path + ' ' + why + ": not in the archive");
  }

  // The name under which this file is in the archive already; empty when it is not, or the archive knows no links.
  std::string first_name(const format::Entry& entry, const std::string& name) {
    if (entry.link_group == 0 || entry.is_directory() || format_ == ArchiveWriter::Format::zip) return {};
    const auto [first, is_new] = first_names_.emplace(entry.link_group, name);
    return is_new ? std::string() : first->second;
  }

  void file(const format::Entry& entry, const ChunkId& inline_chunk, const std::vector<format::DataRun>& runs,
            const std::string& path, const Write& write) {
    HoleFiller filler(runs, entry.size, path, context_.interrupt, write);
    if (entry.content.kind == format::Content::Kind::inlined) {
      filler.data(inlined(entry, inline_chunk, runs, path));
    } else if (entry.size >= kReadAhead && context_.threads > 1) {
      const Write fill = [&](ByteView bytes) { filler.data(bytes); };
      ReadAhead ahead(context_, index_, path, fill);
      reader_.for_each_chunk(entry.content, path, [&](const format::ChunkRef& chunk) { ahead.add(chunk); });
      ahead.finish();
    } else {
      reader_.for_each_chunk(entry.content, path, [&](const format::ChunkRef& chunk) {
        const auto bytes = reader_.chunks().read(chunk.id, format::BlockRole::data, path);
        if (bytes.size() != chunk.length) throw damaged(path, "a chunk of it has the wrong length");
        filler.data(bytes);
      });
    }
    filler.finish();
  }

  ByteView inlined(const format::Entry& entry, const ChunkId& inline_chunk, const std::vector<format::DataRun>& runs,
                   const std::string& path) {
    std::uint64_t length = 0;
    for (const auto& run : runs) length += run.length;
    const auto bytes = reader_.chunks().read(inline_chunk, format::BlockRole::inlined, path);
    if (entry.content.inline_offset > bytes.size() || length > bytes.size() - entry.content.inline_offset) {
      throw damaged(path, "reaches beyond the chunk that it shares with its neighbours");
    }
    return bytes.subspan(entry.content.inline_offset, static_cast<std::size_t>(length));
  }

  const repo::Context& context_;
  const repo::ChunkIndex& index_;
  tree::TreeReader reader_;
  const Write& write_;
  ArchiveWriter::Format format_ = ArchiveWriter::Format::tar;
  ArchiveWriter* archive_ = nullptr;  // while a directory is dumped
  std::unordered_map<std::uint64_t, std::string> first_names_;  // by link group
};

}  // namespace

void dump(const repo::Context& context, const repo::ChunkIndex& index, const ChunkId& root, const std::string& path,
          const std::string& archive, const std::function<void(ByteView)>& write) {
  Dump(context, index, write).path(root, path, archive);
}

}  // namespace mbu::ops

#include "api/decoded_json.hpp"

#include <chrono>
#include <cstdio>

#include "base/utf8.hpp"

namespace mbu::api {
namespace {

std::string base64(ByteView bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) bits = (bits << 8) | (k < have ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k) text += k <= have ? kDigits[(bits >> (18 - 6 * k)) & 63] : '=';
  }
  return text;
}

std::string lossy(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const auto length = utf8_length(bytes);
    if (length == 0) {
      text += "\xef\xbf\xbd";
    } else {
      text += bytes.substr(0, length);
    }
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text;
}

void put_text(Json& object, const std::string& key, const std::string& bytes) {
  object[key] = lossy(bytes);
  if (!is_utf8(bytes)) object[key + "_b64"] = base64(as_bytes(bytes));
}

// With key_b64, holding all of them, when one is not UTF-8.
void put_texts(Json& object, const std::string& key, const std::vector<std::string>& list) {
  Json lossily = Json::array();
  Json exactly = Json::array();
  for (const auto& text : list) {
    lossily.push_back(lossy(text));
    exactly.push_back(base64(as_bytes(text)));
  }
  object[key] = std::move(lossily);
  if (!std::all_of(list.begin(), list.end(), [](const std::string& text) { return is_utf8(text); })) {
    object[key + "_b64"] = std::move(exactly);
  }
}

template <class Id>
void put_ids(Json& object, const std::string& key, const std::vector<Id>& list) {
  Json ids = Json::array();
  for (const auto& id : list) ids.push_back(id.hex());
  object[key] = std::move(ids);
}

template <class List, class Make>
void put_list(Json& object, const std::string& key, const List& list, Make make) {
  Json values = Json::array();
  for (const auto& item : list) values.push_back(make(item));
  object[key] = std::move(values);
}

std::string moment(std::int64_t ns_since_1970) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  auto seconds = ns_since_1970 / kSecond;
  auto rest = ns_since_1970 % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  }
  return rfc3339({seconds, static_cast<std::uint32_t>(rest)});
}

std::string octal(unsigned mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", mode);
  return text;
}

const char* name_of(format::BlockRole role) {
  switch (role) {
    case format::BlockRole::data: return "data";
    case format::BlockRole::list: return "list";
    case format::BlockRole::page: return "page";
    case format::BlockRole::inlined: return "inline";
    case format::BlockRole::padding: return "padding";
  }
  return "unknown";
}

// As restic's trees call them.
const char* name_of(EntryType type) {
  switch (type) {
    case EntryType::directory: return "dir";
    case EntryType::regular: return "file";
    case EntryType::symlink: return "symlink";
    case EntryType::fifo: return "fifo";
    case EntryType::socket: return "socket";
    case EntryType::character_device: return "chardev";
    case EntryType::block_device: return "dev";
  }
  return "unknown";
}

const char* name_of(format::Feature::Required required) {
  switch (required) {
    case format::Feature::Required::ignorable: return "no";
    case format::Feature::Required::to_write: return "to write";
    case format::Feature::Required::to_read: return "to read";
  }
  return "unknown";
}

template <class Chunk>
Json chunk_value(const Chunk& chunk) {
  return {{"id", chunk.id.hex()}, {"length", chunk.length}};
}

Json content_value(const format::Content& content) {
  Json object;
  switch (content.kind) {
    case format::Content::Kind::empty: object["kind"] = "empty"; break;
    case format::Content::Kind::inlined:
      object["kind"] = "inline";
      object["offset"] = content.inline_offset;
      break;
    case format::Content::Kind::direct:
      object["kind"] = "chunks";
      put_list(object, "chunks", content.chunks, chunk_value<format::ChunkRef>);
      break;
    case format::Content::Kind::tree:
      object["kind"] = "list";
      object["list"] = content.tree.hex();
      object["level"] = content.tree_level;
      break;
  }
  return object;
}

Json sparse_value(const format::SparseMap& map, std::uint64_t size) {
  Json object;
  if (map.encoded.empty()) {
    object["stored"] = content_value(map.stored);
  } else {
    put_list(object, "runs", format::decode_sparse_map(map.encoded, size), [](const format::DataRun& run) {
      return Json{{"offset", run.offset}, {"length", run.length}};
    });
  }
  return object;
}

Json attribute_value(const format::Attribute& attribute) {
  Json object;
  put_text(object, "name", attribute.name);
  object["value_b64"] = base64(attribute.value);
  return object;
}

// What only some types have.
void put_kind(Json& object, const format::Entry& entry) {
  switch (entry.type) {
    case EntryType::directory:
      if (entry.directory.is_zero()) {
        object["unreadable"] = true;
      } else {
        object["subtree"] = entry.directory.hex();
      }
      object["files"] = entry.directory_files;
      object["directories"] = entry.directory_dirs;
      object["bytes"] = entry.directory_bytes;
      break;
    case EntryType::regular:
      object["size"] = entry.size;
      object["content"] = content_value(entry.content);
      if (entry.sparse) object["sparse"] = sparse_value(*entry.sparse, entry.size);
      break;
    case EntryType::symlink: put_text(object, "linktarget", entry.target); break;
    case EntryType::character_device:
    case EntryType::block_device:
      object["device_major"] = entry.rdev >> 32;
      object["device_minor"] = entry.rdev & 0xffff'ffffU;
      break;
    case EntryType::fifo:
    case EntryType::socket: break;
  }
}

Json entry_value(const format::Entry& entry) {
  Json object;
  put_text(object, "name", entry.name);
  object["type"] = name_of(entry.type);
  object["mode"] = octal(entry.mode);
  object["uid"] = entry.uid;
  object["gid"] = entry.gid;
  if (!entry.user.empty()) put_text(object, "user", entry.user);
  if (!entry.group.empty()) put_text(object, "group", entry.group);
  object["mtime"] = rfc3339(entry.mtime);
  if (entry.btime) object["btime"] = rfc3339(*entry.btime);
  if (entry.flags != 0) object["flags"] = entry.flags;
  if (entry.link_group != 0) object["link_group"] = entry.link_group;
  put_kind(object, entry);
  if (!entry.attributes.empty()) put_list(object, "attributes", entry.attributes, attribute_value);
  return object;
}

template <class Chunk>
Json blocks_value(const format::TocOf<Chunk>& toc) {
  Json blocks = Json::array();
  std::size_t next = 0;
  for (const auto& block : toc.blocks) {
    Json object{{"role", name_of(block.role)},
                {"method", block.method == format::BlockMethod::raw ? "raw" : "zstd"},
                {"stored", block.stored},
                {"plain", block.plain}};
    Json chunks = Json::array();
    for (std::uint32_t i = 0; i < block.chunks; ++i) chunks.push_back(chunk_value(toc.chunks.at(next++)));
    object["chunks"] = std::move(chunks);
    blocks.push_back(std::move(object));
  }
  return blocks;
}

template <class Chunk>
Json pack_value(const format::PackOf<Chunk>& pack) {
  Json object{{"id", pack.name.hex()}, {"size", pack.size}, {"writer", pack.writer.hex()}};
  object["blocks"] = blocks_value(pack.toc);
  return object;
}

}  // namespace

std::string rfc3339(const FileTime& time) {
  using namespace std::chrono;
  constexpr std::int64_t kLeast = -62'167'219'200;  // 0000-01-01
  constexpr std::int64_t kMost = 253'402'300'799;   // 9999-12-31
  char text[64];
  if (time.seconds < kLeast || time.seconds > kMost) {
    std::snprintf(text, sizeof text, "@%lld.%09u", static_cast<long long>(time.seconds), time.nanoseconds);
    return text;
  }
  const sys_seconds moment{seconds(time.seconds)};
  const auto day = floor<days>(moment);
  const year_month_day date(day);
  const hh_mm_ss clock(moment - day);
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%09uZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), time.nanoseconds);
  return text;
}

Json decoded(const format::Config& config) {
  return {{"id", config.repository.hex()}, {"owner", config.owner.hex()}};
}

Json decoded(const format::DescribedPack& pack) { return pack_value(pack); }

Json decoded(const format::Index& index) {
  Json object;
  put_ids(object, "supersedes", index.supersedes);
  put_list(object, "packs", index.packs, pack_value<format::IndexedChunk>);
  return object;
}

Json decoded(const repo::StoredSnapshot& stored) {
  const auto& s = stored.snapshot;
  Json object{{"id", stored.name.hex()}, {"time", rfc3339(s.time)}, {"tree", s.root.hex()}};
  object["started"] = moment(s.started_ns);
  object["finished"] = moment(s.finished_ns);
  object["writer"] = stored.writer.hex();
  object["instance"] = s.instance.hex();
  object["number"] = s.number;
  if (s.previous) object["previous"] = s.previous->hex();
  if (s.base) object["parent"] = s.base->hex();
  if (s.honoured) object["honoured"] = s.honoured->hex();
  put_ids(object, "statements", s.statements);
  put_text(object, "hostname", s.host);
  put_text(object, "username", s.user);
  object["uid"] = s.uid;
  object["gid"] = s.gid;
  put_texts(object, "paths", s.paths);
  put_texts(object, "tags", s.tags);
  put_texts(object, "excludes", s.excludes);
  put_text(object, "program_version", s.program);
  object["files"] = s.files;
  object["directories"] = s.directories;
  object["bytes"] = s.bytes;
  object["stored_bytes"] = s.stored_bytes;
  object["problem_count"] = s.problem_count;
  put_list(object, "problems", s.problems, [](const format::SnapshotProblem& problem) {
    Json value;
    put_text(value, "path", problem.path);
    put_text(value, "message", problem.message);
    return value;
  });
  put_ids(object, "packs_added", s.packs_added);
  put_ids(object, "packs_removed", s.packs_removed);
  return object;
}

Json decoded(const format::Page& page) {
  Json object{{"level", page.level}};
  if (page.level > 0) {
    put_list(object, "children", page.children, [](const format::PageChild& child) {
      Json value{{"id", child.id.hex()}, {"entries", child.entries}};
      put_text(value, "first_name", child.first_name);
      return value;
    });
    return object;
  }
  if (!page.inline_chunk.is_zero()) {
    object["inline_chunk"] = chunk_value(format::ChunkRef{page.inline_chunk, page.inline_length});
  }
  put_list(object, "nodes", page.entries, entry_value);
  return object;
}

Json decoded(const format::Slot& slot, const format::SlotLabel& label) {
  Json object;
  put_text(object, "name", label.name);
  object["created"] = moment(static_cast<std::int64_t>(label.created_ns));
  object["role"] = slot.role == format::Role::owner ? "owner" : "writer";
  if (slot.kdf == format::SlotKdf::argon2id) {
    object["kdf"] = {{"name", "argon2id"}, {"memory_kib", slot.memory_kib}, {"passes", slot.passes}, {"lanes", slot.lanes}};
  } else if (slot.kdf == format::SlotKdf::pbkdf2) {
    object["kdf"] = {{"name", "pbkdf2-hmac-sha256"}, {"iterations", slot.passes}};
  } else {
    object["kdf"] = {{"name", "fido2-hmac-secret"}, {"verifies", slot.fido_verifies}};
  }
  object["public_key"] = slot.public_key.hex();
  return object;
}

Json decoded(const format::Statement& statement) {
  Json object{{"number", statement.number}, {"time", moment(statement.time_ns)}};
  put_ids(object, "previous", statement.previous);
  put_list(object, "features", statement.features, [](const format::Feature& feature) {
    Json value;
    put_text(value, "name", feature.name);
    value["required"] = name_of(feature.required);
    return value;
  });
  put_list(object, "sealing_keys", statement.sealing, [](const format::SealingKey& key) {
    return Json{{"generation", key.generation}, {"public_key", key.public_key.hex()}};
  });
  if (const auto& c = statement.chunker) {
    object["chunker"] = {{"minimum", c->minimum}, {"normal", c->normal}, {"maximum", c->maximum}};
  }
  put_list(object, "admitted", statement.admitted, [](const format::AdmittedWriter& writer) {
    Json value{{"public_key", writer.public_key.hex()}};
    put_text(value, "name", writer.name);
    value["domain"] = writer.domain.hex();
    return value;
  });
  put_list(object, "removed", statement.removed, [](const format::Removal& removal) {
    Json value{{"public_key", removal.public_key.hex()}};
    put_ids(value, "accepted_snapshots", removal.accepted_snapshots);
    put_ids(value, "accepted_packs", removal.accepted_packs);
    return value;
  });
  put_ids(object, "slots_added", statement.slots_added);
  put_ids(object, "slots_removed", statement.slots_removed);
  put_ids(object, "pins", statement.pins);
  put_ids(object, "forgets", statement.forgets);
  put_list(object, "fences", statement.fences, [](const format::Fence& fence) {
    return Json{{"instance", fence.instance.hex()}, {"last_number", fence.last_number}};
  });
  // Sealed to slots: what they hold is secret, and that they are there is not.
  put_list(object, "grants", statement.grants, [](const format::Grant& grant) {
    return Json{{"slot", grant.slot_public_key.hex()}, {"generation", grant.generation}};
  });
  return object;
}

}  // namespace mbu::api

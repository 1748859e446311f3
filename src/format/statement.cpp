#include "format/statement.hpp"

#include "format/entry.hpp"
#include "format/flatbuffer.hpp"
#include "format/generated/statement_generated.h"

namespace mbu::format {
namespace {

constexpr std::uint32_t kShortestChunk = 64;

bool is_sound(const ChunkerParameters& chunker) noexcept {
  return kShortestChunk <= chunker.minimum && chunker.minimum <= chunker.normal &&
         chunker.normal <= chunker.maximum && chunker.maximum <= kLargestChunk;
}

// What is wrong with a statement, or null.
const char* defect_of(const Statement& statement) noexcept {
  if (statement.number == 0) return "has number 0";
  if ((statement.number == 1) != statement.previous.empty()) return "has predecessors that do not fit its number";
  for (const auto& feature : statement.features) {
    if (feature.name.empty()) return "has a feature without a name";
    if (feature.required > Feature::Required::to_read) return "has a feature whose weight is not known";
  }
  if (statement.chunker && !is_sound(*statement.chunker)) return "has impossible lengths of chunks";
  for (const auto& grant : statement.grants) {
    if (grant.sealed.empty()) return "has a grant that grants nothing";
  }
  return nullptr;
}

template <class Table, class Element, class Write>
flatbuffers::Offset<detail::Tables<Table>> write_each(flatbuffers::FlatBufferBuilder& builder,
                                                      const std::vector<Element>& elements, Write write) {
  std::vector<flatbuffers::Offset<Table>> tables;
  tables.reserve(elements.size());
  for (const auto& element : elements) tables.push_back(write(element));
  return detail::write_tables(builder, tables);
}

// The lists of tables, written one after the other: FlatBuffers are built from the leaves up.
struct Lists {
  flatbuffers::Offset<detail::Tables<fb::Feature>> features;
  flatbuffers::Offset<detail::Tables<fb::SealingKey>> sealing;
  flatbuffers::Offset<detail::Tables<fb::Writer>> admitted;
  flatbuffers::Offset<detail::Tables<fb::Removal>> removed;
  flatbuffers::Offset<detail::Tables<fb::Fence>> fences;
  flatbuffers::Offset<detail::Tables<fb::Grant>> grants;
};

Lists write_lists(flatbuffers::FlatBufferBuilder& builder, const Statement& statement) {
  Lists lists;
  lists.features = write_each<fb::Feature>(builder, statement.features, [&](const Feature& feature) {
    return fb::CreateFeature(builder, detail::write_text(builder, feature.name),
                             static_cast<std::uint8_t>(feature.required));
  });
  lists.sealing = write_each<fb::SealingKey>(builder, statement.sealing, [&](const SealingKey& key) {
    return fb::CreateSealingKey(builder, key.generation, detail::write_bytes(builder, key.public_key.view()));
  });
  lists.admitted = write_each<fb::Writer>(builder, statement.admitted, [&](const AdmittedWriter& writer) {
    const auto key = detail::write_bytes(builder, writer.public_key.view());
    const auto name = detail::write_text(builder, writer.name);
    const auto domain = detail::write_bytes(builder, writer.domain.view());
    return fb::CreateWriter(builder, key, name, domain, detail::write_id_if_any(builder, writer.slot));
  });
  lists.removed = write_each<fb::Removal>(builder, statement.removed, [&](const Removal& removal) {
    const auto key = detail::write_bytes(builder, removal.public_key.view());
    const auto snapshots = detail::write_ids(builder, removal.accepted_snapshots);
    return fb::CreateRemoval(builder, key, snapshots, detail::write_ids(builder, removal.accepted_packs));
  });
  lists.fences = write_each<fb::Fence>(builder, statement.fences, [&](const Fence& fence) {
    return fb::CreateFence(builder, detail::write_bytes(builder, fence.instance.view()), fence.last_number);
  });
  lists.grants = write_each<fb::Grant>(builder, statement.grants, [&](const Grant& grant) {
    const auto key = detail::write_bytes(builder, grant.slot_public_key.view());
    return fb::CreateGrant(builder, key, grant.generation, detail::write_bytes(builder, grant.sealed));
  });
  return lists;
}

constexpr const char* kBadKey = "has a key of the wrong length";
constexpr const char* kBadName = "refers to an object by a name of the wrong length";

void read_lists(detail::FlatReader& reader, const fb::Statement& root, Statement& statement) {
  reader.for_each(root.features(), [&](const fb::Feature& feature) {
    statement.features.push_back(
        {reader.text(feature.name()), static_cast<Feature::Required>(feature.required())});
  });
  reader.for_each(root.sealing(), [&](const fb::SealingKey& key) {
    statement.sealing.push_back({key.generation(), reader.identifier<PublicKey>(key.public_key(), kBadKey)});
  });
  reader.for_each(root.admitted(), [&](const fb::Writer& writer) {
    statement.admitted.push_back({reader.identifier<PublicKey>(writer.public_key(), kBadKey),
                                  reader.text(writer.name()),
                                  reader.identifier<DomainId>(writer.domain(), "has a domain of the wrong length"),
                                  reader.identifier_if_any<ObjectName>(writer.slot(), kBadName)});
  });
  reader.for_each(root.removed(), [&](const fb::Removal& removal) {
    statement.removed.push_back({reader.identifier<PublicKey>(removal.public_key(), kBadKey),
                                 reader.identifiers<ObjectName>(removal.accepted_snapshots(), kBadName),
                                 reader.identifiers<ObjectName>(removal.accepted_packs(), kBadName)});
  });
  reader.for_each(root.fences(), [&](const fb::Fence& fence) {
    statement.fences.push_back(
        {reader.identifier<InstanceId>(fence.instance(), "has an instance id of the wrong length"),
         fence.last_number()});
  });
  reader.for_each(root.grants(), [&](const fb::Grant& grant) {
    const auto sealed = reader.bytes(grant.sealed());
    statement.grants.push_back({reader.identifier<PublicKey>(grant.slot_public_key(), kBadKey), grant.generation(),
                                ByteBuffer(sealed.begin(), sealed.end())});
  });
}

}  // namespace

ByteBuffer encode_statement(const Statement& statement) {
  if (const char* defect = defect_of(statement)) throw Error(Code::failed, std::string("a statement ") + defect);
  flatbuffers::FlatBufferBuilder builder;
  const auto lists = write_lists(builder, statement);
  flatbuffers::Offset<fb::Chunker> chunker;
  if (const auto& c = statement.chunker) chunker = fb::CreateChunker(builder, c->minimum, c->normal, c->maximum);
  const auto previous = detail::write_ids(builder, statement.previous);
  const auto slots_added = detail::write_ids(builder, statement.slots_added);
  const auto slots_removed = detail::write_ids(builder, statement.slots_removed);
  const auto pins = detail::write_ids(builder, statement.pins);
  const auto forgets = detail::write_ids(builder, statement.forgets);
  builder.Finish(fb::CreateStatement(builder, statement.number, previous, statement.time_ns, lists.features,
                                     lists.sealing, chunker, lists.admitted, lists.removed, slots_added,
                                     slots_removed, pins, forgets, lists.fences, lists.grants));
  return detail::take(builder);
}

Statement decode_statement(ByteView bytes, const std::string& subject) {
  detail::FlatReader reader(bytes, subject);
  const auto& root = reader.root<fb::Statement>();
  Statement statement;
  statement.number = root.number();
  statement.previous = reader.identifiers<ObjectName>(root.previous(), kBadName);
  statement.time_ns = root.time_ns();
  if (const auto* chunker = root.chunker()) {
    statement.chunker = ChunkerParameters{chunker->minimum(), chunker->normal(), chunker->maximum()};
  }
  read_lists(reader, root, statement);
  statement.slots_added = reader.identifiers<ObjectName>(root.slots_added(), kBadName);
  statement.slots_removed = reader.identifiers<ObjectName>(root.slots_removed(), kBadName);
  statement.pins = reader.identifiers<ObjectName>(root.pins(), kBadName);
  statement.forgets = reader.identifiers<ObjectName>(root.forgets(), kBadName);
  if (const char* defect = defect_of(statement)) detail::corrupt(defect, subject);
  return statement;
}

}  // namespace mbu::format

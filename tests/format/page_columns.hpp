// A page taken apart into the columns of its FlatBuffer, to be changed and put together again: how hostile pages are made.
#pragma once

#include "format/flatbuffer.hpp"
#include "format/generated/page_generated.h"
#include "pages.hpp"

namespace mbu::format::test {

struct MapColumns {
  ByteBuffer in_place, ids;
  std::vector<std::uint32_t> lengths;
  ByteBuffer tree;
  std::uint8_t tree_level = 0;
};

struct PageColumns {
  std::uint8_t level = 0;
  ByteBuffer child_ids, child_names;
  std::vector<std::uint64_t> child_entries;
  std::vector<std::uint16_t> child_name_lengths;

  std::vector<std::uint16_t> name_lengths, modes, owner_index, chunk_counts;
  ByteBuffer names, types, directory_ids, content_kinds, chunk_ids, tree_ids, tree_levels, inline_chunk, targets;
  std::vector<std::int64_t> mtime_s, btime_s;
  std::vector<std::uint32_t> mtime_ns, btime_ns, chunk_lengths, sparse_rows, link_rows, attribute_rows, attribute_index,
      flag_rows, flags;
  std::vector<std::uint64_t> sizes, directory_files, directory_dirs, directory_bytes, rdevs, link_groups;
  std::uint32_t inline_length = 0;
  std::size_t owners = 1;
  std::string user;  // of every owner
  std::vector<MapColumns> sparse_maps;
  std::vector<std::vector<Attribute>> attribute_sets;

  [[nodiscard]] ByteBuffer build() const;

  // Another entry behind those there are, of a type without a column of its own.
  void add(const std::string& name, EntryType type, std::uint64_t size = 0) {
    append(names, as_bytes(name));
    name_lengths.push_back(static_cast<std::uint16_t>(name.size()));
    types.push_back(static_cast<std::uint8_t>(type));
    modes.push_back(0644);
    owner_index.push_back(0);
    mtime_s.push_back(1);
    mtime_ns.push_back(2);
    btime_s.push_back(0);
    btime_ns.push_back(0xffff'ffff);
    sizes.push_back(size);
  }
  void add_chunk(std::uint32_t length) {
    append(chunk_ids, ByteBuffer(32, 'c'));
    chunk_lengths.push_back(length);
  }
};

inline ByteBuffer PageColumns::build() const {
  flatbuffers::FlatBufferBuilder b;
  std::vector<flatbuffers::Offset<fb::Owner>> all_owners;
  for (std::size_t i = 0; i < owners; ++i) all_owners.push_back(fb::CreateOwner(b, 1, 2, b.CreateString(user), b.CreateString("group")));
  std::vector<flatbuffers::Offset<fb::Content>> all_maps;
  for (const auto& map : sparse_maps) {
    const auto in_place = b.CreateVector(map.in_place), ids = b.CreateVector(map.ids), tree = b.CreateVector(map.tree);
    all_maps.push_back(fb::CreateContent(b, in_place, ids, b.CreateVector(map.lengths), tree, map.tree_level));
  }
  std::vector<flatbuffers::Offset<fb::AttributeSet>> all_sets;
  for (const auto& set : attribute_sets) {
    std::vector<flatbuffers::Offset<fb::Attribute>> attributes;
    for (const auto& [name, value] : set) {
      const auto name_bytes = detail::write_bytes(b, as_bytes(name));
      attributes.push_back(fb::CreateAttribute(b, name_bytes, b.CreateVector(value)));
    }
    all_sets.push_back(fb::CreateAttributeSet(b, b.CreateVector(attributes)));
  }
  const auto owner_tables = b.CreateVector(all_owners);
  const auto map_tables = b.CreateVector(all_maps);
  const auto set_tables = b.CreateVector(all_sets);
  const auto v = [&](const auto& column) { return detail::write_vector(b, column); };
  // Offsets must exist before the table is begun, which arguments of one call give in any order.
  const auto c0 = v(child_ids), c3 = v(child_names), names_o = v(names), types_o = v(types), dirs = v(directory_ids),
             kinds = v(content_kinds), ids = v(chunk_ids), trees = v(tree_ids), levels = v(tree_levels),
             chunk = v(inline_chunk), targets_o = v(targets);
  const auto c1 = v(child_entries), sizes_o = v(sizes), files = v(directory_files), subdirs = v(directory_dirs),
             bytes = v(directory_bytes), devices = v(rdevs), groups = v(link_groups);
  const auto c2 = v(child_name_lengths), lengths_o = v(name_lengths), modes_o = v(modes), owner_o = v(owner_index),
             counts = v(chunk_counts);
  const auto ms = v(mtime_s), bs = v(btime_s);
  const auto mns = v(mtime_ns), bns = v(btime_ns), chunk_l = v(chunk_lengths), sparse_r = v(sparse_rows),
             link_r = v(link_rows), attr_r = v(attribute_rows), attr_i = v(attribute_index), flag_r = v(flag_rows),
             flags_o = v(flags);
  b.Finish(fb::CreatePage(b, level, c0, c1, c2, c3, lengths_o, names_o, types_o, modes_o, owner_o, ms, mns, bs, bns,
                          sizes_o, owner_tables, dirs, files, subdirs, bytes, kinds, counts, ids, chunk_l, trees,
                          levels, chunk, inline_length, targets_o, devices, sparse_r, map_tables, link_r, groups,
                          attr_r, attr_i, set_tables, flag_r, flags_o));
  return detail::take(b);
}

// One entry of every kind, in this order of rows: 0 "a" a directory, 1 "b" direct, 2 "c" inlined, 3 "d" a tree, 4 "e" empty,
// 5 "f" sparse, 6 "g" a symlink, 7 "h" a character device, 8 "i" a fifo.
inline PageColumns sample_columns() {
  PageColumns c;
  c.add("a", EntryType::directory);
  c.directory_ids = ByteBuffer(32, 'd');
  c.directory_files = {1};
  c.directory_dirs = {2};
  c.directory_bytes = {3};
  c.add("b", EntryType::regular, 30);
  c.add("c", EntryType::regular, 7);
  c.add("d", EntryType::regular, 1'000'000);
  c.add("e", EntryType::regular, 0);
  c.add("f", EntryType::regular, 5000);
  c.content_kinds = {2, 1, 3, 0, 2};
  c.chunk_counts = {2, 1};
  c.add_chunk(10);
  c.add_chunk(20);
  c.add_chunk(100);
  c.tree_ids = ByteBuffer(32, 't');
  c.tree_levels = {1};
  c.inline_chunk = ByteBuffer(32, 'i');
  c.inline_length = 7;
  c.sparse_rows = {5};
  c.sparse_maps = {{encode_sparse_map({{4000, 100}}), {}, {}, {}, 0}};
  c.add("g", EntryType::symlink, 5);
  append(c.targets, as_bytes("there"));
  c.add("h", EntryType::character_device);
  c.rdevs = {0x1'0000'0003};
  c.add("i", EntryType::fifo);
  c.link_rows = {1, 2};
  c.link_groups = {9, 9};
  c.attribute_rows = {0, 8};
  c.attribute_index = {0, 0};
  c.attribute_sets = {{{"user.a", {1}}, {"user.b", {}}}};
  c.flag_rows = {1};
  c.flags = {0x10};
  return c;
}

}  // namespace mbu::format::test

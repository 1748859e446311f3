#!/usr/bin/python3
"""Repositories that break one rule of the format each, everything else being hashed, sealed and signed correctly.

    for case in hostile.CASES.values():
        case.build(path, b"password", outside)

case.reader    what the Python reader must name as damaged (the beginning of the object's name), "refused" when the
               repository must not open, None when there is no fault, "*" when anything may come of it
case.program   what mbu restore must do: "valid" exit 0; "damaged" exit 20; "refused" exit other than 0 with nothing
               restored; "safe" where FORMAT.md has no rule: exit 0, 1 or 20, whatever it restores is inside the target
case.kept      {path in the snapshot: bytes} that must be restored nevertheless

outside is a directory that entries of some cases point to; nothing may ever appear in it.

Cyclic lists or pages cannot be made: a chunk's id is a hash of the ids in it.

    hostile.py --list
    hostile.py CASE REPO --password-file FILE [--outside DIR]
"""

import argparse
import os
import struct
import sys
from dataclasses import dataclass

import make_repository as make
import objects as o
import tree
from make_repository import chunk_list, directory, file, leb128, sparse_map, special, symlink
from objects import DATA, INLINE, LIST, PAGE

GOOD = {"good": b"good\n"}
TEXT = bytes(range(256)) * 16
BOMB = 1 << 26  # zero bytes, far above what a block or a toc of these may hold
CASES = {}


@dataclass
class Case:
    name: str
    build: object
    reader: str
    program: str
    kept: dict
    what: str


def case(name, build, reader, program="damaged", kept=None, what=""):
    assert name not in CASES
    CASES[name] = Case(name, build, reader, program, GOOD if kept is None else kept, what or name.replace("_", " "))


def put(offset, data):
    """A hook that overwrites bytes; works on bytes and bytearrays."""
    def hook(target):
        if isinstance(target, bytearray):
            target[offset:offset + len(data)] = data
            return target
        return target[:offset] + data + target[offset + len(data):]
    return hook


def flip(offset):
    def hook(target):
        return put(offset, bytes([target[offset] ^ 1]))(bytes(target))
    return hook


def change(**fields):
    """A hook on a dictionary; a callable value gets the old one."""
    def hook(table):
        for key, value in fields.items():
            table[key] = value(table[key]) if callable(value) else value
    return hook


# Trees: /bad holds what is wrong, /good must come back.

def bad(entries, index=True, **options):
    """A repository whose directory /bad is as described; entries may be a function of `outside`."""
    def build(path, password, outside="/nonexistent"):
        repository = make.Repository(path, password)
        inside = entries(outside) if callable(entries) else entries
        repository.add_snapshot([directory("bad", inside, **options), file("good", b"good\n")], index=index)
    return build


def page_case(name, entries, reader="page", program="damaged", kept=None, what="", **options):
    case(name, bad(entries, **options), reader, program, kept, what)


for _name, _bytes in (("dot", b"."), ("dotdot", b".."), ("slash", b"a/b"), ("up", b"../escaped"), ("empty", b""),
                      ("zero", b"x\0y"), ("zero_last", b"x\0"), ("only_slash", b"/"), ("long", b"n" * 4096)):
    page_case("name_" + _name, [file(_bytes, b"evil")])
    page_case("name_directory_" + _name, [directory(_bytes, [file("evil", b"evil")])])
page_case("name_absolute", lambda outside: [file(os.fsencode(outside) + b"/escaped", b"evil")])
page_case("name_symlink_dotdot", [symlink("..", "x")])
page_case("name_too_long_for_linux", [file(b"n" * 300, b"x")], None, "safe")
page_case("duplicate", [file("x", b"1"), file("x", b"2")])
page_case("unordered", [file("y", b"1"), file("x", b"2")])
page_case("symlink_then_directory", lambda outside: [symlink("x", outside), directory("x", [file("escaped", b"evil")])])
page_case("symlink_then_file", lambda outside: [symlink("x", outside + "/escaped"), file("x", b"evil")])
page_case("directory_then_symlink", lambda outside: [directory("x", [file("a", b"a")]), symlink("x", outside)])
page_case("duplicate_over_pages", lambda outside: [symlink("x", outside), directory("x", [file("escaped", b"evil")])],
          leaf_entries=1)
page_case("unordered_over_pages", [file("a", b""), file("z", b""), file("m", b"")], leaf_entries=2)
page_case("unordered_children", [file(f"f{i}", b"") for i in range(4)], leaf_entries=1,
          inner=lambda page: page.update(
              child_ids=page["child_ids"][32:64] + page["child_ids"][:32] + page["child_ids"][64:],
              child_names=b"f1f0f2f3"))

# Inner pages
FOUR = [file(f"f{i}", b"") for i in range(4)]
page_case("inner_entries_lie", FOUR, "page", "safe", leaf_entries=2, inner=change(child_entries=[2, 3]))
page_case("inner_entries_wrap", FOUR, "page", "safe", leaf_entries=2, inner=change(child_entries=[(1 << 64) - 1, 5]))
page_case("inner_first_name_lies", FOUR, "page", "safe", leaf_entries=2, inner=change(child_names=b"f0f1"))
page_case("inner_level_skips", FOUR, "page", "safe", leaf_entries=2, inner=change(level=2))
page_case("inner_level_255", FOUR, "page", "safe", leaf_entries=2, inner=change(level=255))
page_case("inner_without_children", FOUR, "page", "safe", leaf_entries=2,
          inner=change(child_ids=b"", child_entries=[], child_name_lengths=[], child_names=b""))
page_case("inner_vectors_differ", FOUR, leaf_entries=2, inner=change(child_ids=lambda ids: ids[:32]))
page_case("inner_ids_cut", FOUR, leaf_entries=2, inner=change(child_ids=lambda ids: ids[:40]))

# Leaves
for _vector in ("modes", "owner_index", "mtime_s", "mtime_ns", "btime_s", "btime_ns", "sizes", "types", "name_lengths"):
    page_case(f"short_{_vector}", [file("x", b"1"), file("y", b"2")], page=change(**{_vector: lambda v: v[:1]}))
page_case("names_too_long", [file("x", b"1")], page=change(names=b"xy"))
page_case("names_too_short", [file("xy", b"1")], page=change(names=b"x"))
page_case("type_0", [file("x", b"1")], page=change(types=b"\0"))
page_case("type_8", [file("x", b"1")], page=change(types=b"\x08"))
page_case("mode_too_large", [file("x", b"1", mode=0o100644)], "page", "safe")
page_case("mtime_ns_too_large", [file("x", b"1", mtime_ns=10 ** 9)], "page", "safe")
page_case("mtime_extreme", [file("x", b"1", mtime_s=(1 << 63) - 1), file("y", b"1", mtime_s=-(1 << 63))], None, "safe")
page_case("owner_missing", [file("x", b"1", owner=1)])
page_case("owners_absent", [file("x", b"1")], page=change(owners=None))
page_case("directory_ids_short", [directory("x"), directory("y")], page=change(directory_ids=lambda v: v[:32]))
page_case("directory_ids_cut", [directory("x")], page=change(directory_ids=lambda v: v[:31]))
page_case("directory_counts_short", [directory("x")], page=change(directory_files=[]))
page_case("directory_counts_lie", [directory("x", [file("y", b"1")], counts=(1 << 63, 1 << 63, 1 << 63))], None, "safe")
page_case("targets_short", [symlink("x", "abc", size=4)])
page_case("targets_huge", [symlink("x", "abc", size=(1 << 64) - 1)])
page_case("target_zero", [symlink("x", b"a\0b")], "page", "safe")
page_case("target_empty", [symlink("x", b"")], "page", "safe")
page_case("target_too_long_for_linux", [symlink("x", b"t" * 5000)], None, "safe")
page_case("rdevs_short", [special("x", tree.CHARACTER)], page=change(rdevs=[]))
page_case("content_kind_4", [file("x", b"1")], page=change(content_kinds=b"\4"))
page_case("content_kinds_short", [file("x", b"1"), file("y", b"")], page=change(content_kinds=b"\1"))
page_case("inline_overrun", [file("x", b"1", size=100)])
page_case("inline_overrun_wraps", [file("x", b"1"), file("y", b"1", size=(1 << 64) - 1)])
page_case("inline_length_lies", [file("x", b"123")], page=change(inline_length=4), program="safe")
page_case("inline_length_huge", [file("x", b"123")], page=change(inline_length=(1 << 32) - 1), program="safe")
page_case("inline_absent", [file("x", b"123")], page=change(inline_chunk=None))
page_case("inline_chunk_cut", [file("x", b"123")], page=change(inline_chunk=bytes(5)))
page_case("row_of_no_entry", [file("x", b"1", link_group=1)], page=change(link_rows=[7]))
page_case("rows_unordered", [file("x", b"1", link_group=1), file("y", b"2", link_group=2)], page=change(link_rows=[1, 0]))
page_case("rows_equal", [file("x", b"1", flags=0x40), file("y", b"2", flags=0x40)], page=change(flag_rows=[0, 0]))
page_case("rows_without_values", [file("x", b"1", link_group=1)], page=change(link_groups=[]))
page_case("attributes_of_no_set", [file("x", b"1", attributes=[(b"user.a", b"v")])], page=change(attribute_index=[1]))
page_case("attribute_name_zero", [file("x", b"1", attributes=[(b"user.a\0b", b"v")])], "page", "safe")
page_case("attribute_unknown", [file("x", b"1", attributes=[(b"nonsense", b"v")])], None, "safe")
page_case("attribute_bad_acl", [file("x", b"1", attributes=[(b"system.posix_acl_access", b"\xff" * 7)])], None, "safe")
page_case("linked_directory", [directory("x", [], link_group=1), directory("y", [], link_group=1)], "page", "safe")
page_case("linked_types", lambda outside: [symlink("x", outside + "/escaped", link_group=1),
                                           file("y", b"evil", link_group=1)], None, "safe")
page_case("linked_contents", [file("x", b"1", link_group=1), file("y", b"2", link_group=1)], None, "safe")
page_case("page_is_garbage", [file("x", b"1")], store=lambda repository, pack, page: pack.add(PAGE, b"\xff" * 100))
page_case("page_is_one_byte", [file("x", b"1")], store=lambda repository, pack, page: pack.add(PAGE, b"\0"))

# Contents
page_case("direct_size_larger", [file("x", TEXT, size=len(TEXT) + 1)])
page_case("direct_size_smaller", [file("x", TEXT, size=len(TEXT) - 1)])
page_case("direct_size_huge", [file("x", TEXT, size=(1 << 64) - 1)])
page_case("direct_count_0", [file("x", b"", content={
    "kind": tree.DIRECT, "chunk_ids": b"", "chunk_lengths": [], "count": 0})])
page_case("direct_count_beyond", [file("x", TEXT)], page=change(chunk_counts=[2]))
page_case("direct_lengths_swapped", [file("x", TEXT[:3000], chunk_size=2000, kind=tree.DIRECT)],
          page=change(chunk_lengths=[1000, 2000]))


def _direct(role, missing=False):
    def content(_, pack):
        identity = bytes(range(32)) if missing else pack.add(role, chunk_list(0, [(pack.add(DATA, TEXT), len(TEXT))]))
        return {"kind": tree.DIRECT, "chunk_ids": identity, "chunk_lengths": [48]}
    return content


def _tree(level=0, claimed=None, first=None, items=None, raw=None, role=LIST):
    """A content of one list over two chunks; what is given replaces what would be right."""
    def content(_, pack):
        pieces = [(pack.add(DATA, TEXT), len(TEXT)), (pack.add(DATA, TEXT[::-1]), len(TEXT))]
        pieces = items(pieces, pack) if items else pieces
        data = raw(pieces) if raw else chunk_list(level if first is None else first, pieces)
        return {"kind": tree.TREE, "tree_id": pack.add(role, data), "tree_level": level if claimed is None else claimed}
    return content


def _nested(inner_level=0, total=2 * len(TEXT)):
    def items(pieces, pack):
        return [(pack.add(LIST, chunk_list(inner_level, pieces)), total)]
    return items


def tree_case(name, content, size=2 * len(TEXT), reader="list", program="damaged"):
    page_case("list_" + name, [file("x", b"", content=content, size=size)], reader, program)


page_case("chunk_missing", [file("x", b"", size=48, content=_direct(DATA, missing=True))], "chunk")
page_case("list_as_data", [file("x", b"", size=48, content=_direct(LIST))], "chunk", "safe")
tree_case("as_data_chunk", _tree(role=DATA), reader="chunk", program="safe")
tree_case("level_lies", _tree(level=0, first=1))
tree_case("claimed_level_lies", _tree(level=0, claimed=1))
tree_case("claimed_level_8", _tree(level=8), reader="page")
tree_case("below_has_same_level", _tree(level=1, items=_nested(1)))
tree_case("below_skips_a_level", _tree(level=2, items=_nested(0)))
tree_case("nested_sum_lies", _tree(level=1, items=_nested(0, 2 * len(TEXT) + 1)), size=2 * len(TEXT) + 1)
tree_case("size_larger", _tree(), size=2 * len(TEXT) + 1)
tree_case("size_smaller", _tree(), size=2 * len(TEXT) - 1)
tree_case("size_huge", _tree(), size=(1 << 63) - 1, reader="")
tree_case("empty", _tree(items=lambda pieces, pack: []), size=0)
tree_case("count_0", _tree(raw=lambda pieces: chunk_list(0, pieces, count=0)))
tree_case("count_larger", _tree(raw=lambda pieces: chunk_list(0, pieces, count=3)))
tree_case("count_huge", _tree(raw=lambda pieces: chunk_list(0, pieces, count=(1 << 32) - 1)))
tree_case("bytes_behind", _tree(raw=lambda pieces: chunk_list(0, pieces) + b"\0"))
tree_case("truncated", _tree(raw=lambda pieces: chunk_list(0, pieces)[:-1]))
tree_case("short", _tree(raw=lambda pieces: b"\0\0"))
tree_case("reserved", _tree(raw=lambda pieces: chunk_list(0, pieces, zero=b"\0\0\1")))
tree_case("items_swapped", _tree(items=lambda pieces, pack: [(pieces[0][0], 4095), (pieces[1][0], 4097)]))
tree_case("item_of_0_bytes", _tree(items=lambda pieces, pack: [(pieces[0][0], 0), (pieces[1][0], 8192)]))
tree_case("items_wrap", _tree(items=lambda pieces, pack: [(pieces[0][0], (1 << 64) - 1), (pieces[1][0], 8193)]))
tree_case("item_missing", _tree(items=lambda pieces, pack: [pieces[0], (bytes(32), len(TEXT))]), reader="chunk")
page_case("size_without_content", [file("x", b"", size=4096, kind=tree.EMPTY)], "page", "safe",
          what="content kind 0 with a size and no sparse map")


def _false_id(role, content):
    """Stores other bytes under the id of what is expected."""
    def build(path, password, outside="/nonexistent"):
        repository = make.Repository(path, password)
        pack = make.Pack(repository)
        real = make.Pack(repository)
        entry = file("x", TEXT, kind=content) if content != tree.INLINE_CONTENT else file("x", b"right")
        repository.store_directory(real, directory("bad", [entry]))
        for kind, pieces, _ in real.blocks:
            for identity, data in pieces:
                pack.add(kind, data[::-1] if kind == role else data, identity=identity)
        repository.add_snapshot([directory("bad", [entry]), file("good", b"good\n")], pack=pack)
    return build


for _name, _role, _kind in (("data", DATA, tree.DIRECT), ("list", LIST, tree.TREE), ("inline", INLINE, tree.INLINE_CONTENT)):
    case(f"id_of_other_{_name}", _false_id(_role, _kind), "data/", kept={} if _role == INLINE else None)


def _wrong_page(path, password, outside="/nonexistent"):
    repository = make.Repository(path, password)
    pack = make.Pack(repository)
    right, counts = repository.store_directory(make.Pack(repository), directory("bad", [file("x", b"right")]))
    wrong, _ = repository.store_directory(pack, directory("bad", [symlink("x", outside)]))
    pack.blocks = [(role, [(right if i == wrong else i, data) for i, data in pieces], method)
                   for role, pieces, method in pack.blocks]
    repository.add_snapshot([directory("bad", stored=(right, counts)), file("good", b"good\n")], pack=pack)


case("id_of_other_page", _wrong_page, "data/", what="a directory's page is stored under another page's id")
page_case("page_missing", [], "chunk", store=lambda repository, pack, page: bytes(range(32)))
page_case("page_is_data", [file("x", b"1")], "chunk", "safe",
          store=lambda repository, pack, page: pack.add(DATA, o.PAGES.encode("Page", page)))


# Sparse files
PIECES = [(4096, b"abc"), (20000, b"defg")]


def sparse_case(name, reader="page", program="damaged", size=1 << 16, **given):
    page_case("sparse_" + name, [file("x", segments=PIECES, size=size, **given)], reader, program)


sparse_case("inline", kind=tree.INLINE_CONTENT)
sparse_case("inline_map_stored", kind=tree.INLINE_CONTENT, map_stored=True)
sparse_case("beyond_size", size=20003)
sparse_case("sum_wraps", map_bytes=sparse_map([(4096, 3), ((1 << 64) - 4096, 4)]))
sparse_case("number_too_large", map_bytes=leb128(1 << 64) + b"\7")
sparse_case("number_endless", map_bytes=b"\x80" * 400 + b"\0\7")
sparse_case("number_overflows_to_right", map_bytes=leb128((1 << 64) + 4096) + b"\3" + sparse_map([(15901, 4)]))
sparse_case("truncated", map_bytes=sparse_map([(4096, 3), (15901, 4)])[:-2] + b"\x80")
sparse_case("odd", map_bytes=sparse_map([(4096, 7)]) + leb128(100))
sparse_case("data_more", map_bytes=sparse_map([(4096, 3), (15901, 5)]))
sparse_case("data_less", map_bytes=sparse_map([(4096, 3), (15901, 3)]))
sparse_case("stored_truncated", map_bytes=sparse_map([(4096, 3), (15901, 4)])[:-2] + b"\x80", map_stored=True)
sparse_case("stored_beyond_size", size=20003, map_stored="tree")
sparse_case("all_hole_2_64", "*", "safe", size=(1 << 64) - 1)
page_case("sparse_of_symlink", [file("a", segments=PIECES, size=1 << 16), symlink("b", "x")], page=change(sparse_rows=[1]))
page_case("sparse_map_missing", [file("x", segments=PIECES, size=1 << 16)], "chunk", page=change(
    sparse_maps=[{"chunk_ids": bytes(32), "chunk_lengths": [5]}]))
page_case("sparse_map_twice", [file("x", segments=PIECES, size=1 << 16)], "page", "safe", page=change(
    sparse_maps=lambda maps: [{**maps[0], "chunk_ids": bytes(32), "chunk_lengths": [5]}]))
page_case("sparse_maps_short", [file("x", segments=PIECES, size=1 << 16)], page=change(sparse_maps=[]))


# One byte of a page, a list or a toc changed before it gets its id and its seal

def _fuzz(role, position):
    def build(path, password, outside="/nonexistent"):
        repository = make.Repository(path, password)
        pack = make.Pack(repository)
        inside = [directory("d", [file("y", b"")]), symlink("l", outside, link_group=1), file("s", segments=PIECES, size=1 << 16),
                  file("t", TEXT, kind=tree.TREE, chunk_size=1000), file("u", TEXT[:999]), file("v", b"inline", link_group=1)]
        page, counts = repository.store_directory(pack, directory("bad", inside))

        def changed(data):
            return flip(position % len(data))(data) if position % 2 else put(position % len(data), b"\xff")(data)
        if role is None:
            repository.put("data", pack.build(toc_frame=lambda toc: make.compress(changed(toc))))
        else:
            victims = {i for kind, pieces, _ in pack.blocks for i, _ in pieces if kind == role and i != page or role == PAGE}
            victim = page if role == PAGE else victims.pop()
            data = changed(next(d for _, pieces, _ in pack.blocks for i, d in pieces if i == victim))
            identity = pack.add(role, data)
            if role == PAGE:
                page = identity
            else:
                inside[3] = file("t", TEXT, content={"kind": tree.TREE, "tree_id": identity, "tree_level": 0})
                page, counts = repository.store_directory(pack, directory("bad", inside))
            repository.put("data", pack.build())
        repository.add_snapshot([directory("bad", stored=(page, counts)), file("good", b"good\n")])
    return build


for _number in range(60):
    case(f"fuzz_page_{_number}", _fuzz(PAGE, 7 + 37 * _number), "*", "safe", what="a page with one byte changed")
for _number in range(8):
    case(f"fuzz_list_{_number}", _fuzz(LIST, 1 + 11 * _number), "*", "safe", what="a list with one byte changed")
for _number in range(30):
    case(f"fuzz_toc_{_number}", _fuzz(None, 3 + 29 * _number), "*", "safe", what="a toc with one byte changed")


# Valid, though unusual
VALID = {"a": b"", "b": b"1", "c": TEXT * 5, "d/e": b"deep", "good": b"good\n"}


def _valid(path, password, outside="/nonexistent", **options):
    repository = make.Repository(path, password, **options)
    repository.add_snapshot([file("a"), file("b", b"1"), file("c", TEXT * 5, kind=tree.TREE, chunk_size=1000, list_items=3),
                             directory("d", [file("e", b"deep")]), file("good", b"good\n")])


def _sparse_valid(path, password, outside="/nonexistent"):
    repository = make.Repository(path, password)
    many = [(8192 * i, b"x" * 16) for i in range(400)]
    entries = [file("direct", segments=[(4096, TEXT)], size=1 << 20), file("hole", segments=[], size=1 << 20),
               file("stored", segments=many, size=1 << 23),
               file("tree", segments=many, size=1 << 23, map_stored="tree", kind=tree.TREE, chunk_size=1000, list_items=2),
               file("zeros", b"", size=0)]
    repository.add_snapshot([directory("bad", entries), file("good", b"good\n")])


def _expand(segments, size):
    out = bytearray(size)
    for offset, data in segments:
        out[offset:offset + len(data)] = data
    return bytes(out)


def _deep(levels, name):
    def entries(_):
        inner = directory(name, [file("bottom", b"deep")])
        for _ in range(levels - 1):
            inner = directory(name, [inner])
        return [inner]
    return entries


case("valid", _valid, None, "valid", VALID, "no fault at all")
case("valid_pbkdf2", lambda *a: _valid(*a, kdf=make.CHEAP_PBKDF2), None, "valid", VALID)
case("valid_sparse", _sparse_valid, None, "valid", {
    **GOOD, "bad/direct": _expand([(4096, TEXT)], 1 << 20), "bad/hole": bytes(1 << 20),
    "bad/zeros": b"",
    "bad/stored": _expand([(8192 * i, b"x" * 16) for i in range(400)], 1 << 23),
    "bad/tree": _expand([(8192 * i, b"x" * 16) for i in range(400)], 1 << 23)}, "sparse files of every kind")
page_case("valid_many_pages", [file(f"f{i:03}", b"%d" % i) for i in range(50)], None, "valid",
          {**GOOD, **{f"bad/f{i:03}": b"%d" % i for i in range(50)}}, leaf_entries=7)
page_case("valid_deep", _deep(300, "d"), None, "valid", {**GOOD, "bad/" + "d/" * 300 + "bottom": b"deep"})
page_case("deep_beyond_path_max", _deep(60, "n" * 200), None, "safe", what="a path longer than Linux takes at once")
page_case("valid_unreadable_directory", [directory("x", stored=(bytes(32), (0, 0, 0)))], None, "valid",
          what="a directory that could not be read when it was packaged")
page_case("valid_names", [file(b"\n\x01\xff", b"1"), file(b" ", b"2"), file(b"...", b"3"), file(b"\\", b"4")], None, "valid",
          {**GOOD, "bad/ ": b"2", "bad/...": b"3", "bad/\\": b"4"})
page_case("valid_link", [file("x", b"12", link_group=5), file("y", b"12", link_group=5)], None, "valid",
          {**GOOD, "bad/x": b"12", "bad/y": b"12"})
page_case("valid_without_index", [file("x", b"12")], None, "valid", {**GOOD, "bad/x": b"12"}, index=False)


# Packs: /bad is in a pack of its own, read from its own toc.

def pack_case(name, reader="data/", program="damaged", kept=None, method=1, change_pack=None, misnamed=None, **hooks):
    def build(path, password, outside="/nonexistent"):
        repository = make.Repository(path, password)
        pack = make.Pack(repository)
        page, counts = repository.store_directory(pack, directory("bad", [file("x", TEXT)]))
        pack.blocks = [(role, pieces, method) for role, pieces, _ in pack.blocks]
        if change_pack:
            change_pack(pack)
        pack.finish(name=misnamed, **hooks)
        repository.add_snapshot([directory("bad", stored=(page, counts)), file("good", b"good\n")])
    case("pack_" + name, build, reader, program, kept)


def _signer(seed):
    def hook(pack):
        pack.signer = seed(pack.repository)
    return hook


pack_case("valid", None, "valid", {**GOOD, "bad/x": TEXT})
pack_case("valid_raw", None, "valid", {**GOOD, "bad/x": TEXT}, method=0)
pack_case("valid_unpadded", None, "valid", {**GOOD, "bad/x": TEXT}, padding=False)
pack_case("valid_checksummed", None, "valid", {**GOOD, "bad/x": TEXT},
          frame=lambda data: make.zstandard.ZstdCompressor(write_checksum=True).compress(data))
pack_case("misnamed", program="safe", misnamed=bytes(range(32)))
pack_case("signature", signature=flip(5))
pack_case("signer_unknown", change_pack=_signer(lambda repository: bytes(32)))
pack_case("signer_is_owner", change_pack=_signer(lambda repository: repository.keys.owner_seed))
pack_case("toc_flipped", sealed=flip(50))
pack_case("toc_length", trailer=put(0, struct.pack("<I", 1 << 31)))
pack_case("trailer_magic", trailer=flip(9))
pack_case("trailer_zero", trailer=put(4, b"\1"))
pack_case("magic", header=put(0, b"X"))
pack_case("kind", header=put(3, b"S"))
pack_case("version", header=put(4, b"\2"))
pack_case("suite", header=put(6, b"\2"))
pack_case("other_repository", header=put(8, bytes(32)))
pack_case("key_mode", header=put(60, b"\2"))
pack_case("sealed_key_length", header=put(62, b"\x4f"))
pack_case("commitment", whole_header=flip(100))
pack_case("sealed_key", whole_header=flip(150))
pack_case("gap", toc=change(block_stored=lambda v: v[:-1] + [v[-1] - 1]))
pack_case("stored_wraps", toc=change(block_stored=lambda v: [(1 << 32) - 1] + v[1:]))
pack_case("chunk_sum", toc=change(chunk_lengths=lambda v: [v[0] - 1] + v[1:]))
pack_case("chunk_sum_wraps", toc=change(chunk_lengths=lambda v: [v[0] + 1] + v[1:]))
pack_case("chunk_count", toc=change(block_chunks=lambda v: [v[0] + 1] + v[1:]))
pack_case("chunk_of_0_bytes", toc=lambda toc: toc.update(
    block_chunks=[2] + toc["block_chunks"][1:], chunk_lengths=[0] + toc["chunk_lengths"], chunk_ids=bytes(32) + toc["chunk_ids"]))
pack_case("ids_cut", toc=change(chunk_ids=lambda v: v[:-1]))
pack_case("tags_short", toc=change(block_tags=lambda v: v[:-16]))
pack_case("tag", toc=change(block_tags=lambda v: bytes(16) + v[16:]))
pack_case("plain_vector_short", toc=change(block_plain=lambda v: v[:-1]))
pack_case("role_changed", toc=change(block_roles=lambda v: [INLINE] + v[1:]))
pack_case("role_unknown", toc=change(block_roles=lambda v: [9] + v[1:]))
pack_case("method_changed", toc=change(block_methods=lambda v: [0] + v[1:]))
pack_case("method_unknown", toc=change(block_methods=lambda v: [2] + v[1:]))
pack_case("block_too_large", change_pack=lambda pack: pack.blocks.append(
    (DATA, [(bytes([i]) * 32, bytes(3 << 20)) for i in range(3)], 1)))
pack_case("chunk_too_large", change_pack=lambda pack: pack.blocks.append((DATA, [(bytes(32), bytes((4 << 20) + 1))], 1)))
pack_case("zstd_garbage", frame=lambda data: b"\xff" * 50)
pack_case("zstd_shorter", frame=lambda data: make.compress(data[:-1]))
pack_case("zstd_longer", frame=lambda data: make.compress(data + b"x"))
pack_case("zstd_bomb", frame=lambda data: make.compress(bytes(BOMB)))
pack_case("zstd_bomb_unsized", frame=lambda data: make.zstandard.ZstdCompressor(
    write_content_size=False).compress(bytes(BOMB)))
pack_case("zstd_two_frames", frame=lambda data: make.compress(data[:9]) + make.compress(data[9:]))
pack_case("zstd_bytes_behind", frame=lambda data: make.compress(data) + b"\0")
pack_case("zstd_truncated", frame=lambda data: make.compress(data)[:-1])
pack_case("zstd_window", frame=lambda data: struct.pack("<IBB", 0xFD2FB528, 0, 14 << 3 | 1)
          + (len(data) << 3 | 1).to_bytes(3, "little") + data)
pack_case("toc_plain_length_huge", plain_length=lambda n: (1 << 32) - 1)
pack_case("toc_plain_length_lies", plain_length=lambda n: n + 1)
pack_case("toc_compressed_length_lies", t=put(36, struct.pack("<I", (1 << 32) - 1)))
pack_case("toc_not_padded", program="safe", t=lambda t: t + b"\0")
pack_case("toc_padding_not_zero", program="safe", t=lambda t: t + b"\1" * 64)
pack_case("toc_garbage", toc_frame=lambda data: make.compress(b"\xff" * len(data)))
pack_case("toc_bomb", toc_frame=lambda data: make.compress(bytes(BOMB)))
pack_case("padding_not_last", program="safe", padding=False, change_pack=lambda pack: pack.blocks.insert(
    0, (o.PADDING, [(None, bytes(100))], 0)))
pack_case("padding_not_zero", program="safe", kept={**GOOD, "bad/x": TEXT}, reader=None, padding=False,
          change_pack=lambda pack: pack.blocks.append((o.PADDING, [(None, b"\1" * 100)], 0)))


def _flip_in_pack(offset):
    """A byte of a pack changed, the pack renamed to its new hash."""
    def build(path, password, outside="/nonexistent"):
        repository = make.Repository(path, password)
        pack = make.Pack(repository)
        page, counts = repository.store_directory(pack, directory("bad", [file("x", TEXT)]))
        repository.put("data", flip(offset)(pack.build()))
        repository.add_snapshot([directory("bad", stored=(page, counts)), file("good", b"good\n")])
    return build


case("pack_ciphertext_flipped", _flip_in_pack(210), "data/")
case("pack_header_flipped", _flip_in_pack(70), "data/")


# Indexes: the toc in the pack is right, so nothing is lost.

def index_case(name, reader="index/", program="safe", table=None, kept=None, what="", **hooks):
    def build(path, password, outside="/nonexistent"):
        repository = make.Repository(path, password)
        repository.add_snapshot([directory("bad", [file("x", TEXT)]), file("good", b"good\n")], index=False)
        signer = hooks.get("signer")
        repository.add_index(table=table, hooks=hooks.get("hooks"), signer=signer(repository) if signer else None)
    case("index_" + name, build, reader, program, {**GOOD, "bad/x": TEXT} if kept is None else kept, what)


def _in_toc(**fields):
    def hook(table):
        change(**fields)(table["packs"][0]["toc"])
    return hook


index_case("signer_unknown", signer=lambda repository: bytes(32))
index_case("signer_is_owner", signer=lambda repository: repository.keys.owner_seed)
index_case("signature", hooks={"signed": flip(3)})
index_case("commitment", hooks={"whole_header": flip(100)})
index_case("tags_lie", table=_in_toc(block_tags=lambda v: bytes(len(v))))
index_case("roles_lie", table=_in_toc(block_roles=lambda v: [DATA] * len(v)))
index_case("ids_lie", table=_in_toc(chunk_ids=lambda v: bytes(len(v))), what="an index keeps all chunks back")
index_case("ids_swapped", table=_in_toc(chunk_ids=lambda v: v[16:32] + v[:16] + v[32:]))
index_case("ids_whole", table=_in_toc(chunk_ids=lambda v: v + v), what="ids of 32 bytes")
index_case("sums_lie", table=_in_toc(chunk_lengths=lambda v: [n - 1 for n in v]))
index_case("stored_lies", table=_in_toc(block_stored=lambda v: [n * 1000 for n in v]))
index_case("header_cut", table=lambda table: table["packs"][0].update(header=table["packs"][0]["header"][:100]))
index_case("header_of_other_key", table=lambda table: table["packs"][0].update(header=flip(70)(table["packs"][0]["header"])))
index_case("pack_absent", None, "valid", table=lambda table: table["packs"].append(
    {**table["packs"][0], "name": bytes(32)}), what="an index names a pack that is gone")
index_case("garbage", hooks={"frame": lambda data: make.compress(b"\xff" * 100)})
index_case("length_lies", hooks={"length": lambda n: n - 1})


# Snapshots: the only one there is, so nothing is restored.

def snapshot_case(name, reader="snapshots/", program="refused", kept=None, before=None, after=None, what="", **options):
    def build(path, password, outside="/nonexistent"):
        repository = make.Repository(path, password)
        if before:
            before(repository)
        given = {key: value(repository) if key in ("signer", "pack_signer") else value for key, value in options.items()}
        repository.add_snapshot([directory("bad", [file("x", TEXT)]), file("good", b"good\n")], **given)
        if after:
            after(repository)
    case("snapshot_" + name, build, reader, program, {} if kept is None else kept, what)


STRANGER = bytes(range(32))
ALL = {**GOOD, "bad/x": TEXT}


def _admit(domain=o.MAIN):
    return lambda repository: repository.add_statement(
        admitted=[{"public_key": o.public_of(STRANGER), "name": "other", "domain": domain}])


def _remove(seed, accept):
    def hook(repository):
        repository.add_statement(removed=[{
            "public_key": o.public_of(seed(repository)),
            "accepted_snapshots": repository.snapshots[-1] if accept else None,
            "accepted_packs": b"".join(pack.name for pack in repository.packs) if accept else None}])
    return hook


def _say(what):
    return lambda repository: repository.add_statement(**{what: repository.snapshots[-1]})


def own(repository):
    return repository.keys.writer_seed


def stranger(_):
    return STRANGER


snapshot_case("signer_unknown", signer=stranger)
snapshot_case("signer_is_owner", signer=lambda repository: repository.keys.owner_seed)
snapshot_case("signature", hooks={"signed": flip(3)})
snapshot_case("misnamed", after=lambda repository: os.rename(
    os.path.join(repository.path, b"snapshots", repository.snapshots[-1].hex().encode()),
    os.path.join(repository.path, b"snapshots", b"00" * 32)))
snapshot_case("commitment", hooks={"whole_header": flip(100)})
snapshot_case("sealed_key", hooks={"whole_header": flip(150)})
snapshot_case("version", hooks={"header": put(4, b"\2")})
snapshot_case("suite", hooks={"header": put(6, b"\2")})
snapshot_case("other_repository", hooks={"header": put(8, bytes(32))})
snapshot_case("key_mode", hooks={"header": put(60, b"\2")})
snapshot_case("is_an_index", hooks={"header": put(3, b"I")})
snapshot_case("other_domain", hooks={"domain": b"other" + bytes(11)}, what="of a domain whose writer did not sign it")
snapshot_case("body_flipped", hooks={"body": flip(0)})
snapshot_case("body_cut", hooks={"body": lambda x: x[:50]})
snapshot_case("padding_not_zero", hooks={"body": lambda x: x[:-1] + b"\1"}, program="safe")
snapshot_case("length_lies", hooks={"length": lambda n: n + 1})
snapshot_case("length_too_large", hooks={"length": lambda n: (1 << 32) - 1})
snapshot_case("compressed_length_lies", hooks={"body": put(100, b"\xff\xff\xff\xff")})
snapshot_case("garbage", hooks={"raw_table": lambda data: b"\xff" * 100})
snapshot_case("bomb", hooks={"frame": lambda data: make.compress(bytes(BOMB))})
snapshot_case("paths_relative", paths=("etc",), program="safe")
snapshot_case("paths_dotdot", paths=("/../../escaped",), reader=None, program="safe")
snapshot_case("writer_of_other_domain", before=_admit(b"other" + bytes(11)), signer=stranger)
snapshot_case("packs_of_another_domain", before=_admit(b"other" + bytes(11)), signer=stranger, hooks={"domain": b"other" + bytes(11)},
              reader="chunk", what="by a writer of another domain than that of the packs it leads to")
snapshot_case("forgotten", reader=None, program="refused", after=_say("forgets"))
snapshot_case("valid_forgotten_and_pinned", reader=None, program="valid", kept=ALL,
              after=lambda repository: (_say("forgets")(repository), _say("pins")(repository)))
snapshot_case("writer_removed", after=_remove(own, False), reader="", what="everything is by a writer who was removed")
snapshot_case("valid_removed_but_accepted", reader=None, program="valid", kept=ALL, index=False, after=_remove(own, True))
snapshot_case("valid_admitted_writer", reader=None, program="valid", kept=ALL, before=_admit(), signer=stranger,
              pack_signer=stranger)
snapshot_case("removal_beats_admission", before=lambda repository: (_admit()(repository), repository.add_statement(removed=[
    {"public_key": o.public_of(STRANGER)}]), _admit()(repository)), signer=stranger)


def _bad_root(root):
    def build(path, password, outside="/nonexistent"):
        make.Repository(path, password).add_snapshot([file("good", b"good\n")], table=change(root=root))
    return build


case("snapshot_root_missing", _bad_root(bytes(range(32))), "chunk", kept={})
case("snapshot_root_cut", _bad_root(bytes(31)), "snapshots/", "refused", {})


# Statements, slots, config, locks

def repository_case(name, reader, program, kept=None, after=None, what="", **options):
    def build(path, password, outside="/nonexistent"):
        repository = make.Repository(path, password, **options)
        repository.add_snapshot([directory("bad", [file("x", TEXT)]), file("good", b"good\n")])
        if after:
            after(repository)
    case(name, build, reader, program, kept if kept is not None else {} if program == "refused" else ALL, what)


def _feature(required):
    return change(features=[{"name": "unheard-of", "required": required}])


repository_case("statement_feature_0", None, "valid", statement=_feature(0))
repository_case("statement_feature_1", None, "valid", statement=_feature(1))
repository_case("statement_feature_2", "refused", "refused", statement=_feature(2))
repository_case("statement_feature_known", None, "valid", statement=change(features=[{"name": "solid-blocks", "required": 2}]))
repository_case("statement_by_writer", "state/", "safe", after=lambda repository: repository.add_statement(
    signer=repository.keys.writer_seed, removed=[{"public_key": repository.keys.writer_public}]))
repository_case("statement_previous_missing", "state/", "safe", after=lambda repository: repository.add_statement(
    previous=bytes(32)))
repository_case("statement_slot_missing", "keys/", "safe", after=lambda repository: repository.add_statement(
    slots_added=bytes(32)))
repository_case("statement_hashes_cut", "state/", "safe", after=lambda repository: repository.add_statement(
    slots_added=bytes(31)))
repository_case("statement_in_other_domain", "state/", "safe", after=lambda repository: repository.add_statement(
    hooks={"header": put(40, b"other")}))
repository_case("statement_signature", "state/", "safe", after=lambda repository: repository.add_statement(
    hooks={"signed": flip(2)}))

repository_case("config_hash", "refused", "refused", after=lambda repository: _rewrite(repository, flip(20)))
repository_case("config_version", "refused", "refused", config=put(8, b"\2"))
repository_case("config_suite", "refused", "refused", config=put(10, b"\2"))
repository_case("config_reserved", "refused", "refused", config=put(12, b"\1"))
repository_case("config_magic", "refused", "refused", config=put(0, b"X"))
repository_case("config_truncated", "refused", "refused", after=lambda repository: _rewrite(repository, lambda d: d[:100]))
repository_case("config_longer", "refused", "refused", after=lambda repository: _rewrite(repository, lambda d: d + b"\0"))
repository_case("config_of_other_owner", "refused", "refused", config=put(48, o.public_of(STRANGER)))
repository_case("config_conflict_copy", "refused", "refused", after=lambda repository: _extra(repository, b"config (1)"))


def _rewrite(repository, hook):
    path = os.path.join(repository.path, b"config")
    with open(path, "rb") as config:
        data = hook(config.read())
    with open(path, "wb") as config:
        config.write(data)


def _extra(repository, name):
    with open(os.path.join(repository.path, name), "wb") as out:
        out.write(b"")


def slot_case(name, patch=None, **options):
    repository_case("slot_" + name, "refused", "refused", slot=patch, **options)


for _name, _kdf, _memory, _passes in (
        ("argon2_memory_too_large", 1, 1024 * 1024 + 1, 1), ("argon2_memory_4_tib", 1, (1 << 32) - 1, 1),
        ("argon2_memory_too_small", 1, 8191, 1), ("argon2_passes_too_many", 1, 8192, 17),
        ("argon2_passes_endless", 1, 8192, (1 << 32) - 1), ("argon2_no_pass", 1, 8192, 0),
        ("pbkdf2_too_many", 2, 0, 100_000_001), ("pbkdf2_endless", 2, 0, (1 << 32) - 1), ("pbkdf2_too_few", 2, 0, 99_999),
        ("pbkdf2_one", 2, 0, 1), ("kdf_0", 0, 0, 100_000), ("kdf_3", 3, 8192, 1)):
    slot_case(_name, lambda head, v=(_kdf, _memory, _passes): head.__setitem__(slice(41, 52), struct.pack("<BHII", v[0], 0, *v[1:])))
slot_case("pbkdf2_with_memory", put(44, struct.pack("<I", 8192)), kdf=make.CHEAP_PBKDF2)
slot_case("two_lanes", put(52, struct.pack("<I", 2)))
slot_case("magic", put(0, b"X"))
slot_case("version", put(4, b"\2"))
slot_case("suite", put(6, b"\2"))
slot_case("other_config", put(8, bytes(32)))
slot_case("role_3", put(40, b"\3"))
slot_case("reserved_1", put(42, b"\1"))
slot_case("reserved_2", put(108, b"\1"))
slot_case("lengths", put(106, struct.pack("<H", 79)))
slot_case("public_key", put(72, bytes(range(32))))


def _second_slot(**options):
    return lambda repository: repository.add_slot(b"another", **options)


repository_case("slot_label_garbage", "keys/", "safe", after=_second_slot(patch_all=lambda data: data[:112] + bytes(48) + data[160:]))
repository_case("slot_truncated", "keys/", "safe", after=_second_slot(patch_all=lambda data: data[:50]))
repository_case("slot_too_large", "keys/", "safe", after=_second_slot(patch_all=lambda data: data + bytes(65536)))
repository_case("slot_misnamed", "keys/", "safe", after=lambda repository: repository.put("keys", b"x", bytes(32)))
repository_case("valid_second_slot", None, "valid", after=_second_slot())

repository_case("lock_garbage", None, "safe", after=lambda repository: repository.put("locks", b"MBUL" + bytes(200)))
repository_case("lock_tombstones_by_writer", None, "safe", after=lambda repository: repository.add_lock(
    3, signer=repository.keys.writer_seed, packs=repository.packs[0].name))
repository_case("valid_locks", None, "valid", after=lambda repository: (
    repository.add_lock(1, packs=repository.packs[0].name), repository.add_lock(3, packs=repository.packs[0].name)))
repository_case("valid_waste", None, "valid", after=lambda repository: (
    _extra(repository, b"snapshots/.mbu-tmp-1"), _extra(repository, b"data/notes"), _extra(repository, b"keys/" + b"A" * 64),
    _extra(repository, b"index/" + b"0" * 63)), what="files of other names are ignored")


def main():
    parser = argparse.ArgumentParser(description="Make a repository that breaks one rule.")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("case", nargs="?", choices=sorted(CASES), metavar="CASE")
    parser.add_argument("repository", nargs="?")
    parser.add_argument("--password-file")
    parser.add_argument("--outside", default="/nonexistent")
    arguments = parser.parse_args()
    if arguments.list:
        for each in CASES.values():
            print(f"{each.name:40} {each.program:8} {each.what}")
        return 0
    if not arguments.repository or not arguments.password_file:
        parser.error("CASE, REPO and --password-file are needed")
    with open(arguments.password_file, "rb") as given:
        password = given.read().removesuffix(b"\n")
    CASES[arguments.case].build(arguments.repository, password, arguments.outside)
    return 0


if __name__ == "__main__":
    sys.exit(main())

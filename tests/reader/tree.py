"""Pages, chunk lists and sparse maps (FORMAT.md §7.1, §7.2), from bytes to checked objects."""

import struct
from dataclasses import dataclass, field

from objects import MAX_CHUNK, PAGES, Damaged, decode, hashes, need

DIRECTORY, REGULAR, SYMLINK, FIFO, SOCKET, CHARACTER, BLOCK = 1, 2, 3, 4, 5, 6, 7
EMPTY, INLINE_CONTENT, DIRECT, TREE = 0, 1, 2, 3
UNKNOWN_BTIME = 0xFFFFFFFF
UNREADABLE = bytes(32)


@dataclass
class Content:
    """Where a byte stream is. inline: (chunk id, its length, offset, bytes of it); chunks: [(id, length)]."""
    length: int
    inline: tuple = None
    chunks: list = field(default_factory=list)
    tree: tuple = None  # (id, level)


@dataclass
class Entry:
    name: bytes
    type: int
    mode: int
    owner: object
    mtime: tuple
    btime: tuple
    size: int
    page: bytes = None  # directories: root page, None when it could not be read
    below: tuple = (0, 0, 0)  # files, directories, bytes
    content: Content = None  # regular files
    runs: list = None  # sparse files: [(hole, data)]
    target: bytes = None
    rdev: tuple = None
    link_group: int = None
    attributes: list = field(default_factory=list)
    flags: int = 0
    where: str = ""  # the page it is in
    problem: Damaged = None  # the entry is known, its content is not


@dataclass
class Page:
    level: int
    children: list  # (id, entries, first name)
    entries: list


def check_name(name, where):
    need(1 <= len(name) <= 4095, where, f"name of {len(name)} bytes")
    need(name not in (b".", b".."), where, f"name {name!r}")
    need(b"/" not in name and b"\0" not in name, where, f"name {name!r}")


def split_names(lengths, names, where):
    need(sum(lengths) == len(names), where, "lengths of names do not add up")
    out, at = [], 0
    for length in lengths:
        out.append(names[at:at + length])
        check_name(out[-1], where)
        at += length
    for before, after in zip(out, out[1:]):
        need(before < after, where, f"name {after!r} does not ascend")
    return out


def parse_list(data, where, level, total):
    """The items of a chunk list that must have that level and hold that many bytes: [(id, bytes)]."""
    need(len(data) >= 8, where, "list is truncated")
    have, zero, count = data[0], data[1:4], struct.unpack_from("<I", data, 4)[0]
    need(zero == bytes(3), where, "reserved bytes of a list are not zero")
    need(have == level and level <= 7, where, f"list of level {have} where one of level {level} belongs")
    need(count >= 1 and len(data) == 8 + 40 * count, where, f"list of {count} items has {len(data)} bytes")
    items = [(data[i:i + 32], struct.unpack_from("<Q", data, i + 32)[0]) for i in range(8, len(data), 40)]
    for _, length in items:
        need(length >= 1 and (level > 0 or length <= MAX_CHUNK), where, f"list item of {length} bytes")
    need(sum(length for _, length in items) == total, where, "items of a list do not add up")
    return items


def parse_map(data, size, where):
    """The runs [(hole, data)] of a sparse map."""
    numbers, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        need(shift <= 70 and value < 1 << 64, where, "number in a sparse map is too large")
        if not byte & 0x80:
            numbers.append(value)
            value = shift = 0
    need(shift == 0 and len(numbers) % 2 == 0, where, "sparse map is truncated")
    need(sum(numbers) <= size, where, "sparse map goes beyond the size")
    return list(zip(numbers[::2], numbers[1::2]))


class _Taker:
    """Takes the elements of the page's vectors in order."""

    def __init__(self, page, where):
        self.page, self.where, self.at = page, where, {}

    def take(self, vector, count=1):
        have, start = getattr(self.page, vector), self.at.get(vector, 0)
        need(start + count <= len(have), self.where, f"{vector} is too short")
        self.at[vector] = start + count
        return have[start:start + count]

    def hash(self, vector):
        return self.take(vector, 32)

    def finish(self, *vectors):
        for vector in vectors:
            need(self.at.get(vector, 0) == len(getattr(self.page, vector)), self.where, f"{vector} is too long")


def _rows(page, where, rows, *values):
    """A rows vector: entries by position, ascending strictly; the vectors beside it are as long."""
    rows = getattr(page, rows)
    for before, after in zip(rows, rows[1:]):
        need(before < after, where, "rows do not ascend")
    need(not rows or rows[-1] < len(page.types), where, "row of no entry")
    for vector in values:
        need(len(getattr(page, vector)) == len(rows), where, f"{vector} does not fit its rows")
    return rows


def _direct(ids, lengths, where):
    need(len(ids) == len(lengths) and lengths, where, "chunk ids and lengths do not fit")
    for length in lengths:
        need(1 <= length <= MAX_CHUNK, where, f"chunk of {length} bytes")
    return Content(sum(lengths), chunks=list(zip(ids, lengths)))


def _stored_map(content, where):
    """A sparse map's Content: its bytes when it is in the page, else a description."""
    given = [bool(content.inline), bool(content.chunk_ids or content.chunk_lengths), bool(content.tree_id)]
    need(sum(given) <= 1, where, "sparse map in several places")
    if given[1]:
        return _direct(hashes(content.chunk_ids, where, "chunk_ids"), content.chunk_lengths, where)
    if given[2]:
        need(len(content.tree_id) == 32 and content.tree_level <= 7, where, "sparse map's tree is malformed")
        return Content(None, tree=(content.tree_id, content.tree_level))
    need(len(content.inline) <= 512, where, "sparse map in the page is longer than 512 bytes")
    return content.inline


def parse_page(data, where, read_map):
    """A checked Page. read_map(Content) reads a sparse map that is not in the page itself."""
    page = decode(PAGES, "Page", data, where)
    if page.level:
        ids = hashes(page.child_ids, where, "child_ids")
        names = split_names(page.child_name_lengths, page.child_names, where)
        need(ids and len(ids) == len(page.child_entries) == len(names), where, "vectors of an inner page differ")
        return Page(page.level, list(zip(ids, page.child_entries, names)), [])
    names = split_names(page.name_lengths, page.names, where)
    for vector in ("types", "modes", "owner_index", "mtime_s", "mtime_ns", "btime_s", "btime_ns", "sizes"):
        need(len(getattr(page, vector)) == len(names), where, f"{vector} has not one element an entry")
    entries = []
    for i, name in enumerate(names):
        need(DIRECTORY <= page.types[i] <= BLOCK, where, f"unknown type {page.types[i]}")
        need(page.modes[i] <= 0o7777, where, f"mode {page.modes[i]:o}")
        need(page.owner_index[i] < len(page.owners), where, "owner_index of no owner")
        need(page.mtime_ns[i] < 10 ** 9, where, "mtime_ns of a second or more")
        need(page.btime_ns[i] < 10 ** 9 or page.btime_ns[i] == UNKNOWN_BTIME, where, "btime_ns of a second or more")
        btime = None if page.btime_ns[i] == UNKNOWN_BTIME else (page.btime_s[i], page.btime_ns[i])
        need(page.types[i] in (REGULAR, SYMLINK) or page.sizes[i] == 0, where, "size of what has none")
        entries.append(Entry(name, page.types[i], page.modes[i], page.owners[page.owner_index[i]],
                             (page.mtime_s[i], page.mtime_ns[i]), btime, page.sizes[i], where=where))
    _sparse(page, where, entries, read_map)
    _in_order(page, where, entries)
    _few(page, where, entries)
    return Page(0, [], entries)


def _sparse(page, where, entries, read_map):
    for row, stored in zip(_rows(page, where, "sparse_rows", "sparse_maps"), page.sparse_maps):
        entry = entries[row]
        need(entry.type == REGULAR, where, "sparse map of what is no file")
        stored = _stored_map(stored, where)
        if isinstance(stored, Content):
            try:
                entry.runs = parse_map(read_map(stored), entry.size, where)
            except Damaged as damage:
                entry.problem = damage
        else:
            entry.runs = parse_map(stored, entry.size, where)


def _in_order(page, where, entries):
    """What directories, files, symlinks and devices take in order from the page's vectors."""
    taker, inline_at = _Taker(page, where), 0
    need(len(page.inline_chunk) in (0, 32) and bool(page.inline_chunk) == bool(page.inline_length), where,
         "inline chunk and its length do not fit")
    need(page.inline_length <= MAX_CHUNK, where, "inline chunk is too long")
    for entry in entries:
        if entry.type == DIRECTORY:
            root = taker.hash("directory_ids")
            entry.page = None if root == UNREADABLE else root
            entry.below = tuple(taker.take(v)[0] for v in ("directory_files", "directory_dirs", "directory_bytes"))
        elif entry.type == SYMLINK:
            entry.target = taker.take("targets", entry.size)
            need(entry.target and b"\0" not in entry.target, where, "target of a symlink is empty or holds a zero byte")
        elif entry.type in (CHARACTER, BLOCK):
            rdev = taker.take("rdevs")[0]
            entry.rdev = (rdev >> 32, rdev & 0xFFFFFFFF)
        elif entry.type == REGULAR:
            length = entry.size if entry.runs is None else sum(data for _, data in entry.runs)
            kind = taker.take("content_kinds")[0]
            if kind == EMPTY:
                entry.content = Content(0)
            elif kind == INLINE_CONTENT:
                need(entry.runs is None and not entry.problem, where, "sparse file is inline")
                need(page.inline_chunk and inline_at + length <= page.inline_length, where, "inline chunk is too short")
                entry.content = Content(length, inline=(page.inline_chunk, page.inline_length, inline_at, length))
                inline_at += length
            elif kind == DIRECT:
                count = taker.take("chunk_counts")[0]
                ids = [taker.hash("chunk_ids") for _ in range(count)]
                entry.content = _direct(ids, taker.take("chunk_lengths", count), where)
            elif kind == TREE:
                root, level = taker.hash("tree_ids"), taker.take("tree_levels")[0]
                need(level <= 7, where, f"tree of level {level}")
                entry.content = Content(length, tree=(root, level))
            else:
                raise Damaged(where, f"unknown content kind {kind}")
            if not entry.problem:
                need(entry.content.length == length, where, f"content of {entry.name!r} is not as long as it must be")
    need(inline_at == page.inline_length, where, "inline chunk is too long")
    taker.finish("directory_ids", "directory_files", "directory_dirs", "directory_bytes", "targets", "rdevs",
                 "content_kinds", "chunk_counts", "chunk_ids", "chunk_lengths", "tree_ids", "tree_levels")


def _few(page, where, entries):
    """What few entries have: link groups, extended attributes, flags."""
    for row, group in zip(_rows(page, where, "link_rows", "link_groups"), page.link_groups):
        need(entries[row].type != DIRECTORY, where, "hard-linked directory")
        entries[row].link_group = group
    for attribute_set in page.attribute_sets:
        names = [attribute.name for attribute in attribute_set.attributes]
        need(names == sorted(set(names)), where, "extended attributes do not ascend")
        need(all(name and b"\0" not in name for name in names), where, "malformed name of an extended attribute")
    for row, index in zip(_rows(page, where, "attribute_rows", "attribute_index"), page.attribute_index):
        need(index < len(page.attribute_sets), where, "attribute_index of no set")
        entries[row].attributes = [(a.name, a.value) for a in page.attribute_sets[index].attributes]
    for row, flags in zip(_rows(page, where, "flag_rows", "flags"), page.flags):
        entries[row].flags = flags

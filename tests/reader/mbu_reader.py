#!/usr/bin/python3
"""An independent reader of mbu repositories, written from docs/FORMAT.md and the schemas alone.

Usage: mbu_reader.py REPO --password-file FILE list
                                               ls SNAPSHOT [PATH]
                                               dump SNAPSHOT PATH
                                               extract SNAPSHOT PATH TARGET
                                               check

SNAPSHOT is `latest` or the beginning of a name. Exit codes: 0, 1 (usage, not found), 10 (no repository that this
reader reads), 12 (wrong password), 20 (damage: what is not hit has been delivered).
"""

import argparse
import json
import os
import sys
from collections import OrderedDict

import tree
from objects import (DATA, INLINE, LIST, LOCK, MAX_PACK, PAGE, PREFIX, SNAPSHOT, STATEMENT, TOC, WRITER, Damaged,
                     Header, Pack, Refused, State, Unreadable, WrongPassword, MAIN, hashes, need, object_key, objects,
                     open_block, open_slot, parse_body, parse_config, parse_header, parse_pack, parse_slot, parse_toc,
                     read_object, split_statement)

KNOWN_FEATURES = ("solid-blocks",)


def recovery_line(text):
    """The ten bytes of a line of a recovery sheet (§3)."""
    number = 0
    for character in text.replace(" ", ""):
        number = number << 5 | "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(character)
    return number.to_bytes(10, "big")


def is_conflict_copy(name):
    """Whether a file beside `config` makes the repository refused (§2)."""
    rest = name.removeprefix("config")
    if rest == name or not rest or rest.startswith(".toml"):
        return False
    return not (rest[0].isascii() and rest[0].isalnum())


class NotFound(Exception):
    """There is no such snapshot or path."""


class Repository:
    """An open repository. Damage that is met is collected in `damage`; what is asked for and damaged is raised."""

    def __init__(self, path, password):
        self.path, self.damage = path, []
        self._blocks = OrderedDict()
        self._domain = None  # through whose packs alone chunks are looked for; None: all
        self._object_keys = {}
        self.config = self._read_config()
        self.slots = self._read_slots()
        self.keys = self._unlock(password)
        self._check_labels()
        self.state = State()
        self._read_statements()
        self.packs, self._where, self._verified = {}, {}, {}
        self._pack_paths = dict(objects(path, "data"))
        self._read_indexes()
        self._read_unindexed_packs()

    def report(self, damage):
        if str(damage) not in map(str, self.damage):
            self.damage.append(damage)

    def collect(self, function, *arguments):
        """The function's result, or None once its damage has been noted."""
        try:
            return function(*arguments)
        except Damaged as damage:
            self.report(damage)
        except Unreadable:
            pass
        return None

    # Opening

    def _read_config(self):
        try:
            names = os.listdir(self.path)
        except OSError as error:
            raise Refused(str(error)) from None
        if "config" not in names:
            raise Refused("there is no repository")
        if any(is_conflict_copy(name) for name in names):
            raise Refused("there are several configs")
        with open(os.path.join(self.path, "config"), "rb") as file:
            try:
                return parse_config(file.read())
            except Damaged as damage:
                raise Refused(str(damage)) from None

    def _read_slots(self):
        slots = {}
        for name, path in objects(self.path, "keys"):
            slot = self.collect(lambda: parse_slot(name, read_object(name, path), self.config))
            if slot:
                slots[name] = slot
        return slots

    def _unlock(self, password):
        for slot in self.slots.values():
            keys = self.collect(open_slot, slot, password, self.config)
            if keys:
                self.role = slot.role
                return keys
        raise WrongPassword("no slot opens with this password")

    def _check_labels(self):
        self.labels = {}
        for name, slot in self.slots.items():
            self.labels[name] = self.collect(slot.label, self.keys.common)

    def _sealed(self, name, path, kind, may_sign, schema, table):
        """(header, signer, table) of an index, snapshot, statement or lock."""
        data = read_object(name, path)
        header = parse_header(name, data, kind, self.config)
        key = object_key(name, header, self.keys)
        signer, value = parse_body(name, data, header, key, lambda public: may_sign(header, public), schema, table)
        return header, signer, value

    def _read_statements(self):
        for name, path in objects(self.path, "state"):
            self.collect(self._read_statement, name, path)
        for statement in sorted(self.state.named - self.state.known):
            self.report(Damaged(f"state/{statement.hex()}", "statement is missing"))
        for slot in sorted(self.state.slots_added - self.state.slots_removed):
            if f"keys/{slot.hex()}" not in self.slots:
                self.report(Damaged(f"keys/{slot.hex()}", "slot is missing"))
        for feature in self.state.features:
            if feature.required >= 2 and feature.name not in KNOWN_FEATURES:
                raise Refused(f"feature {feature.name!r} is required to read")

    def _read_statement(self, name, path):
        owner = self.config.owner
        _, _, statement = self._sealed(name, path, b"T", lambda _, public: public == owner, STATEMENT, "Statement")
        split_statement(name, statement)
        for key in statement.sealing:
            if self.role != WRITER:
                need(key.public_key == self.keys.sealing_public(key.generation), name, "sealing key is not the owner's")
        for grant in statement.grants:
            if self.role == WRITER and grant.slot_public_key == self.keys.slot_public:
                self.keys.take_grant(name, grant.generation, grant.sealed)
        self.state.add(bytes.fromhex(name.split("/")[1]), statement.number, statement)

    def entitled(self, kind, name, header, public):
        """Whether a writer may have signed that object."""
        if public in self.state.removed:
            snapshots, packs = self.state.removed[public]
            return bytes.fromhex(name.rsplit("/", 1)[1]) in {b"S": snapshots, b"P": packs}.get(kind, ())
        own = public == self.owner_writer and header.domain == MAIN
        return own or (public, header.domain) in self.state.admitted

    @property
    def owner_writer(self):
        return None if self.role == WRITER else self.keys.writer_public

    # Indexes and packs

    def _read_indexes(self):
        self.indexes = {}
        for name, path in objects(self.path, "index"):
            packs = self.collect(self._read_index, name, path)
            if packs is None:
                continue
            self.indexes[name] = packs
            for pack in packs:
                if pack.name in self._pack_paths and pack.name not in self.packs:
                    self._register(pack)

    def _read_index(self, name, path):
        _, _, index = self._sealed(name, path, b"I", lambda h, p: self.entitled(b"I", name, h, p), TOC, "Index")
        hashes(index.supersedes, name, "supersedes")
        packs = []
        for p in index.packs:
            need(len(p.name) == 32 and len(p.writer) == 32 and p.toc is not None, name, "entry of a pack is malformed")
            header = parse_header(name, p.header, b"P", self.config)
            need(len(p.header) == len(header.raw), name, "bytes behind a pack's header")
            space = p.size - len(header.raw) - 80
            need(0 <= space and p.size <= MAX_PACK, name, f"pack of {p.size} bytes")
            blocks = parse_toc(name, p.toc, header, space, in_index=True)
            pack = f"data/{p.name.hex()[:2]}/{p.name.hex()}"
            if self.entitled(b"P", pack, header, p.writer):
                packs.append(Pack(pack, p.size, header, p.writer, blocks, name))
        return packs

    def _read_unindexed_packs(self):
        for name in self._pack_paths:
            if name not in self.packs:
                pack = self.collect(self._read_pack, name)
                if pack:
                    self._register(pack)
                self._verified[name] = pack

    def _read_pack(self, name):
        data = read_object(name, self._pack_paths[name])
        return parse_pack(name, data, self.keys, self.config, lambda h, p: self.entitled(b"P", name, h, p))

    def _register(self, pack):
        self.packs[pack.name] = pack
        for chunk in pack.places:
            names = self._where.setdefault(chunk[:PREFIX], [])
            if pack.name not in names:
                names.append(pack.name)

    def verified(self, name):
        """The pack by its own toc, its name checked; None when it is damaged. An index that says otherwise is wrong."""
        if name not in self._verified:
            claimed, pack = self.packs[name], self.collect(self._read_pack, name)
            self._verified[name] = pack
            if pack:
                blocks = [block.as_indexed() for block in pack.blocks]
                for index, packs in self.indexes.items():
                    for claimed in packs:
                        if claimed.name == name and (claimed.size, claimed.header, claimed.writer, claimed.blocks) != (
                                pack.size, pack.header, pack.writer, blocks):
                            self.report(Damaged(index, f"disagrees with the toc of {name}"))
                self._register(pack)
        return self._verified[name]

    def block(self, pack, block):
        """A block's plain bytes."""
        if (pack.name, block.number) not in self._blocks:
            if pack.name not in self._object_keys:
                self._object_keys[pack.name] = object_key(pack.name, pack.header, self.keys)
            with open(self._pack_paths[pack.name], "rb") as file:
                file.seek(block.offset)
                ciphertext = file.read(block.stored)
            plain = open_block(pack.name, pack.header, self._object_keys[pack.name], block, ciphertext)
            self._blocks[pack.name, block.number] = plain
            if len(self._blocks) > 8:
                self._blocks.popitem(last=False)
        return self._blocks[pack.name, block.number]

    def chunk(self, identity, *roles):
        """The bytes of a chunk, from whichever pack has them whole."""
        for attempt in range(2):
            for name in list(self._where.get(identity[:PREFIX], ())):
                pack = self.verified(name)
                if pack and self._domain not in (None, pack.header.domain):
                    continue
                for block, offset, length in pack.places.get(identity, ()) if pack else ():
                    if block.role in roles:
                        data = self.collect(self._copy, pack, block, identity, offset, length)
                        if data is not None:
                            return data
            if attempt == 0:  # an index may have kept it back
                for name in list(self.packs):
                    self.verified(name)
        raise Damaged(f"chunk {identity.hex()}", "is in no pack that can be used")

    def _copy(self, pack, block, identity, offset, length):
        data = self.block(pack, block)[offset:offset + length]
        expected = self.keys.domain(pack.header.domain, pack.header.generation).chunk_id(block.role, data)
        need(expected == identity, pack.name, f"chunk {identity.hex()} has another id")
        return data

    # Trees

    def stream(self, content, where):
        """The bytes of a Content, piece by piece."""
        if content.inline:
            identity, length, offset, count = content.inline
            data = self.chunk(identity, INLINE, DATA)
            need(len(data) == length, where, "inline chunk is not as long as the page says")
            yield data[offset:offset + count]
        for identity, length in content.chunks:
            yield self._piece(identity, length, where)
        if content.tree:
            identity, level = content.tree
            total = content.length
            data = self.chunk(identity, LIST)
            if total is None:  # a stored sparse map: only its list says how long it is
                total = sum(int.from_bytes(data[i + 32:i + 40], "little") for i in range(8, len(data), 40))
            yield from self._list(data, f"list {identity.hex()}", level, total)

    def _piece(self, identity, length, where):
        data = self.chunk(identity, DATA, INLINE)
        need(len(data) == length, where, f"chunk {identity.hex()} has {len(data)} bytes, not {length}")
        return data

    def _list(self, data, where, level, total):
        for identity, length in tree.parse_list(data, where, level, total):
            if level == 0:
                yield self._piece(identity, length, where)
            else:
                yield from self._list(self.chunk(identity, LIST), f"list {identity.hex()}", level - 1, length)

    def page(self, identity):
        return tree.parse_page(self.chunk(identity, PAGE), f"page {identity.hex()}",
                               lambda content: b"".join(self.stream(content, f"page {identity.hex()}")))

    def directory(self, identity):
        """The entries of a directory. Pages below its root page that are damaged are noted and left out."""
        return self._entries(identity, self.page(identity))

    def _entries(self, identity, page):
        if page.level == 0:
            return page.entries
        where, out = f"page {identity.hex()}", []
        for child, count, first in page.children:
            below = self.collect(self.page, child)
            if below is None:
                continue
            need(below.level == page.level - 1, where, f"page of level {below.level} below one of level {page.level}")
            known = len(self.damage)
            entries = self.collect(self._entries, child, below)
            if entries is None:
                continue
            need(entries or len(self.damage) > known, where, "empty page below another")
            if len(self.damage) == known:
                need(len(entries) == count and entries[0].name == first, where, "says something else of the page below")
            need(not out or not entries or out[-1].name < entries[0].name, where, "names do not ascend over its pages")
            out += entries
        return out

    def segments(self, entry):
        """A regular file's (offset, bytes), holes left out."""
        if entry.problem:
            raise entry.problem
        pieces = self.stream(entry.content, entry.where)
        if entry.runs is None:
            runs = iter([(0, entry.size)])
        else:
            runs = iter(entry.runs)
        at = left = 0
        for piece in pieces:
            while piece:
                while not left:
                    hole, left = next(runs)
                    at += hole
                part, piece = piece[:left], piece[left:]
                yield at, part
                at += len(part)
                left -= len(part)

    def read_file(self, entry):
        """A regular file's bytes, for files that fit into memory."""
        out = bytearray(entry.size)
        for offset, data in self.segments(entry):
            out[offset:offset + len(data)] = data
        return bytes(out)

    # Snapshots

    def snapshots(self):
        """The snapshots that are whole, oldest first, each with its `name`, `header`, `signer` and `complete`."""
        found = {}
        for name, path in objects(self.path, "snapshots"):
            snapshot = self.collect(self._read_snapshot, name, path)
            if snapshot:
                found[snapshot.name] = snapshot
        for snapshot in found.values():
            packs = self._snapshot_packs(snapshot, found)
            snapshot.complete = packs is not None and all(
                f"data/{p.hex()[:2]}/{p.hex()}" in self._pack_paths for p in packs)
        return sorted(found.values(), key=lambda s: (s.time_s, s.time_ns, s.name))

    def _read_snapshot(self, name, path):
        header, signer, s = self._sealed(name, path, b"S", lambda h, p: self.entitled(b"S", name, h, p), SNAPSHOT,
                                         "Snapshot")
        need(len(s.instance) == 16 and len(s.root) == 32, name, "instance or root is malformed")
        for what in ("previous", "base", "honoured"):
            need(len(getattr(s, what)) in (0, 32), name, f"{what} is malformed")
        need(s.number >= 1 and bool(s.previous) == (s.number > 1), name, f"number {s.number} does not fit `previous`")
        need(s.time_ns < 10 ** 9, name, "time_ns of a second or more")
        paths = [path.bytes for path in s.paths]
        need(paths == sorted(paths) and all(path[:1] == b"/" for path in paths), name, "paths are not absolute and sorted")
        for what in ("statements", "packs_added", "packs_removed"):
            setattr(s, what, hashes(getattr(s, what), name, what))
        s.name, s.header, s.signer = bytes.fromhex(name.split("/")[1]), header, signer
        s.forgotten, s.pinned = s.name in self.state.forgets, s.name in self.state.pins
        return s

    @staticmethod
    def _snapshot_packs(snapshot, known):
        """Its packs, or None when a base is missing."""
        chain = [snapshot]
        while chain[-1].base:
            if chain[-1].base not in known:
                return None
            chain.append(known[chain[-1].base])
        packs = set()
        for s in reversed(chain):
            packs = packs - set(s.packs_removed) | set(s.packs_added)
        return packs

    def find_snapshot(self, text):
        found = [s for s in self.snapshots() if not s.forgotten or s.pinned]
        if text != "latest":
            found = [s for s in found if s.name.hex().startswith(text)]
        if not found or (text != "latest" and len(found) > 1):
            raise NotFound(f"{len(found)} snapshots match {text!r}")
        return found[-1]

    def find(self, snapshot, path):
        """The entry at an absolute path; the root itself is a directory without a name. Chunks come from the snapshot's domain from now on."""
        self._domain = snapshot.header.domain
        entry = tree.Entry(b"", tree.DIRECTORY, 0o755, None, (0, 0), None, 0, page=snapshot.root)
        for part in filter(None, os.fsencode(path).split(b"/")):
            if entry.type != tree.DIRECTORY or entry.page is None:
                raise NotFound(path)
            entry = next((e for e in self.directory(entry.page) if e.name == part), None)
            if entry is None:
                raise NotFound(path)
        return entry

    # Everything

    def check(self):
        """Read everything; what is wrong ends up in `damage`."""
        for name in list(self.packs):
            pack = self.verified(name)
            for block in pack.blocks if pack else ():
                self.collect(self.block, pack, block)
                for identity, offset, length in block.chunks:
                    self.collect(self._copy, pack, block, identity, offset, length)
        for name, path in objects(self.path, "locks"):
            self.collect(self._read_lock, name, path)
        seen = {}
        for snapshot in self.snapshots():
            if snapshot.forgotten and not snapshot.pinned:
                continue
            if not snapshot.complete:
                self.report(Damaged(f"snapshots/{snapshot.name.hex()}", "packs are missing"))
            self._domain = snapshot.header.domain
            totals = self._check_tree(snapshot.root, seen)
            if totals and (totals[0], totals[2]) != (snapshot.files, snapshot.bytes):
                self.report(Damaged(f"snapshots/{snapshot.name.hex()}", "totals differ from the tree's"))

    def _read_lock(self, name, path):
        def may_sign(header, public):
            return public == self.config.owner or self.entitled(b"L", name, header, public)
        _, signer, lock = self._sealed(name, path, b"L", may_sign, LOCK, "Lock")
        need(lock.kind in (1, 2, 3), name, f"unknown kind {lock.kind}")
        need(lock.kind != 3 or signer == self.config.owner, name, "tombstones that are not the owner's")
        hashes(lock.packs, name, "packs")
        return lock

    def _check_tree(self, root, seen):
        """Read all below a directory, deepest first; (files, directories, bytes) or None where something is lacking."""
        stack = [(root, None)]
        while stack:
            identity, entries = stack.pop()
            if identity in seen:
                continue
            if entries is None:
                before = len(self.damage)
                entries = self.collect(self.directory, identity)
                if entries is None or len(self.damage) > before:
                    seen[identity] = None
                stack.append((identity, entries or []))
                stack += [(e.page, None) for e in entries or [] if e.type == tree.DIRECTORY and e.page]
                continue
            seen[identity] = self._check_directory(identity, entries, seen)
        return seen[root]

    def _check_directory(self, identity, entries, seen):
        files = directories = size = 0
        for entry in entries:
            if entry.type == tree.DIRECTORY:
                below = seen.get(entry.page, (0, 0, 0))
                if below is not None and below != entry.below:
                    self.report(Damaged(f"page {identity.hex()}", f"counts of {entry.name!r} differ from the tree's"))
                files, directories, size = files + entry.below[0], directories + entry.below[1] + 1, size + entry.below[2]
                continue
            files += 1
            if entry.type == tree.REGULAR:
                size += entry.size
                self.collect(lambda: [None for _ in self.segments(entry)])
        return files, directories, size


# Extracting

class Extraction:
    """Restores a tree below a directory that it creates itself. Names are checked, nothing existing is opened."""

    def __init__(self, repository, target):
        self.repository, self.target = repository, os.fsencode(target)
        self.links, self.failed = {}, 0

    def run(self, entry):
        parent, name = os.path.split(os.path.abspath(self.target))
        top = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._run(top, name, entry)
        finally:
            os.close(top)

    def _run(self, top, name, entry):
        if entry.type != tree.DIRECTORY:
            self._try(top, name, (name,), entry, top)
            return
        os.mkdir(name, 0o700, dir_fd=top)
        made, number = [((name,), entry)], 0
        while number < len(made):
            path, directory = made[number]
            number += 1
            entries = self.repository.collect(self.repository.directory, directory.page) if directory.page else None
            fd = self._open(top, path)
            try:
                for child in entries or ():
                    if child.type == tree.DIRECTORY:
                        try:
                            os.mkdir(child.name, 0o700, dir_fd=fd)
                            made.append((path + (child.name,), child))
                        except OSError as error:
                            print(f"{os.fsdecode(child.name)}: {error}", file=sys.stderr)
                            self.failed += 1
                    else:
                        self._try(fd, child.name, path + (child.name,), child, top)
            finally:
                os.close(fd)
        for path, directory in reversed(made):
            if directory.owner is not None:
                fd = self._open(top, path)
                self._dress(fd, directory)
                os.close(fd)

    @staticmethod
    def _open(top, path):
        """A directory that this run made, component by component, so that no path is too long and no link followed."""
        fd = os.dup(top)
        for part in path:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
            os.close(fd)
            fd = below
        return fd

    def _try(self, fd, name, path, entry, top):
        try:
            self.repository.collect(self._create, fd, name, path, entry, top)
        except (OSError, OverflowError) as error:  # what the file system here cannot hold
            print(f"{os.fsdecode(name)}: {error}", file=sys.stderr)
            self.failed += 1

    def _create(self, fd, name, path, entry, top):
        if entry.link_group is not None:
            if entry.link_group in self.links:
                first = self.links[entry.link_group]
                source = self._open(top, first[:-1])
                os.link(first[-1], name, src_dir_fd=source, dst_dir_fd=fd, follow_symlinks=False)
                os.close(source)
                return
        if entry.type == tree.REGULAR:
            self._regular(fd, name, entry)
        elif entry.type == tree.SYMLINK:
            os.symlink(entry.target, name, dir_fd=fd)
            if os.geteuid() == 0:
                os.chown(name, entry.owner.uid, entry.owner.gid, dir_fd=fd, follow_symlinks=False)
            os.utime(name, ns=self._times(entry), dir_fd=fd, follow_symlinks=False)
        elif entry.type == tree.FIFO:
            os.mkfifo(name, dir_fd=fd)
            os.chmod(name, entry.mode, dir_fd=fd)  # whatever the umask is; nobody else writes to a tree that is being made
            os.utime(name, ns=self._times(entry), dir_fd=fd, follow_symlinks=False)
        else:
            print(f"{os.fsdecode(name)}: sockets and devices are not restored", file=sys.stderr)
            return
        if entry.link_group is not None:
            self.links[entry.link_group] = path

    def _regular(self, fd, name, entry):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=fd)
        try:
            try:
                os.ftruncate(file, entry.size)
            except (OSError, OverflowError) as error:
                raise Damaged(entry.where, f"{name!r} of {entry.size} bytes: {error}") from None
            for offset, data in self.repository.segments(entry):
                assert os.pwrite(file, data, offset) == len(data)
            self._dress(file, entry)
        except Damaged:
            os.unlink(name, dir_fd=fd)
            raise
        finally:
            os.close(file)

    @staticmethod
    def _times(entry):
        return (entry.mtime[0] * 10 ** 9 + entry.mtime[1],) * 2

    def _dress(self, fd, entry):
        if os.geteuid() == 0:
            os.fchown(fd, entry.owner.uid, entry.owner.gid)
        for name, value in entry.attributes:
            try:
                os.setxattr(fd, name, value)
            except OSError as error:
                print(f"{os.fsdecode(entry.name)}: {os.fsdecode(name)}: {error.strerror}", file=sys.stderr)
        os.fchmod(fd, entry.mode)
        os.utime(fd, ns=self._times(entry))


# The program

def describe(snapshot):
    """A snapshot's fields as JSON shows them."""
    def plain(value):
        if isinstance(value, bytes):
            return value.hex()
        if isinstance(value, Header):
            return {"domain": value.domain.hex(), "generation": value.generation}
        if isinstance(value, list):
            return [plain(v) for v in value]
        return value
    out = {key: plain(value) for key, value in vars(snapshot).items()}
    out["paths"] = [os.fsdecode(path.bytes) for path in snapshot.paths]
    out["problems"] = [[os.fsdecode(problem.path), problem.message] for problem in snapshot.problems]
    return out


def run(repository, arguments):
    if arguments.command == "list":
        for snapshot in repository.snapshots():
            print(json.dumps(describe(snapshot)))
        return
    if arguments.command == "check":
        repository.check()
        return
    entry = repository.find(repository.find_snapshot(arguments.snapshot), arguments.path)
    if arguments.command == "extract":
        extraction = Extraction(repository, arguments.target)
        extraction.run(entry)
        if extraction.failed:
            raise OSError(f"{extraction.failed} entries could not be created")
    elif arguments.command == "ls":
        for e in repository.directory(entry.page) if entry.page else [entry]:
            print(f"{'?d-lpscb'[e.type]} {e.mode:04o} {e.size:12} {e.mtime[0]}.{e.mtime[1]:09} {os.fsdecode(e.name)}"
                  + (f" -> {os.fsdecode(e.target)}" if e.target else ""))
    elif arguments.command == "dump":
        if entry.type != tree.REGULAR:
            raise NotFound(f"{arguments.path} is no regular file")
        at = 0
        for offset, data in repository.segments(entry):
            write_zeros(offset - at)
            sys.stdout.buffer.write(data)
            at = offset + len(data)
        write_zeros(entry.size - at)
        sys.stdout.buffer.flush()


def write_zeros(count):
    while count:
        part = min(count, 1 << 20)
        sys.stdout.buffer.write(bytes(part))
        count -= part


def main():
    parser = argparse.ArgumentParser(description="Read an mbu repository.")
    parser.add_argument("repository")
    parser.add_argument("--password-file", required=True)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="snapshots, one JSON object a line")
    commands.add_parser("check", help="read everything")
    for name in ("ls", "dump", "extract"):
        command = commands.add_parser(name)
        command.add_argument("snapshot")
        command.add_argument("path", **({"nargs": "?", "default": "/"} if name == "ls" else {}))
        if name == "extract":
            command.add_argument("target", help="is created")
    arguments = parser.parse_args()
    with open(arguments.password_file, "rb") as file:
        password = file.read().removesuffix(b"\n")
    repository = None
    try:
        repository = Repository(arguments.repository, password)
        repository.collect(run, repository, arguments)
    except WrongPassword as error:
        print(error, file=sys.stderr)
        return 12
    except Refused as error:
        print(error, file=sys.stderr)
        return 10
    except (NotFound, Unreadable, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for damage in repository.damage:
        print(f"damaged: {damage}", file=sys.stderr)
    return 20 if repository.damage else 0


if __name__ == "__main__":
    sys.exit(main())

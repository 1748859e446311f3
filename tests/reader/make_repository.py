"""A writer of tiny repositories, from docs/FORMAT.md alone, for tests.

    import make_repository as make
    r = make.Repository(path, b"password")
    r.add_snapshot([make.file("a", b"text"), make.directory("d", [make.symlink("l", "../a")])])

Every function takes hooks that break one rule while everything around it is hashed, sealed and signed correctly:

- entries: any field of file(), directory(), symlink() and special() can be given a value of its own (`size=7`);
  directory(page=f) calls f(page) with the dictionary of the FlatBuffer `Page` before it is stored; directory(store=f)
  calls f(repository, pack, page) to store it instead; entries stay in the order given.
- add_snapshot(hooks={...}, pack_hooks={...}) and the other add_ functions hand hooks to Repository.sealed() and
  Pack.build(), which describe them; `signer` is a seed.

hostile.py has a collection of repositories that break one rule each.
"""

import os
import struct
import time
from dataclasses import dataclass

import nacl.bindings
import zstandard

import objects as o
import tree
from objects import DATA, INLINE, LIST, MAIN, PADDING, PAGE, H, derive, gcm_encrypt, padme

CHEAP_PBKDF2 = (o.PBKDF2, 0, 100_000)
CHEAP_ARGON2ID = (o.ARGON2ID, 8 * 1024, 1)
GENERATION = 1
LEAF_ENTRIES = 1000
INLINE_LIMIT = 512
CHUNK_SIZE = 1 << 20
LIST_ITEMS = 1000
WHEN = 1_700_000_000


def same(value):
    """The hook that changes nothing."""
    return value


def compress(data):
    return zstandard.ZstdCompressor(level=3).compress(data)


def raw_frame(data):
    """A zstd frame of one raw block: the same bytes whatever the library's version."""
    assert len(data) < 1 << 17
    return (struct.pack("<IBI", 0xFD2FB528, 0xA0, len(data))
            + (len(data) << 3 | 1).to_bytes(3, "little") + data)


def leb128(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def sparse_map(runs):
    return b"".join(leb128(hole) + leb128(data) for hole, data in runs)


def seal(public, secret, ephemeral=None):
    """crypto_box_seal; with a given ephemeral secret it is reproducible."""
    if ephemeral is None:
        return nacl.bindings.crypto_box_seal(secret, public)
    own = nacl.bindings.crypto_scalarmult_base(ephemeral)
    nonce = nacl.bindings.crypto_generichash.generichash_blake2b_salt_personal(own + public, digest_size=24)
    return own + nacl.bindings.crypto_box(secret, nonce, public, ephemeral)


# Entries

@dataclass
class Made:
    """An entry to be written: fields as the page has them, and what has to be stored for it."""
    name: bytes
    type: int
    fields: dict
    data: bytes = b""
    entries: list = None
    options: dict = None


def _made(name, kind, given, **more):
    fields = {"mode": 0o755 if kind == tree.DIRECTORY else 0o644, "owner": 0, "mtime_s": WHEN, "mtime_ns": 123456789,
              "btime_s": 0, "btime_ns": tree.UNKNOWN_BTIME, "size": 0, "link_group": None, "attributes": None, "flags": 0}
    options = {key: given.pop(key) for key in list(given) if key not in fields}
    fields.update(given)
    return Made(os.fsencode(name), kind, fields, options=options, **more)


def file(name, data=b"", **given):
    """A regular file.

    kind: tree.EMPTY, INLINE_CONTENT, DIRECT or TREE (chosen by size when left out); chunk_size, list_items;
    segments=[(offset, bytes)] with size=: a sparse file; map_bytes=: its map as given; map_stored=True or "tree";
    content={...}: the page's elements as given (kind, chunk_ids, chunk_lengths, tree_id, tree_level).
    """
    segments = given.pop("segments", None)
    if segments is not None:
        runs, at = [], 0
        for offset, piece in segments:
            runs.append((offset - at, len(piece)))
            at = offset + len(piece)
        given.setdefault("map_bytes", sparse_map(runs))
        data = b"".join(piece for _, piece in segments)
    given.setdefault("size", len(data))
    return _made(name, tree.REGULAR, given, data=data)


def directory(name, entries=(), **given):
    """A directory. page=, store=: hooks (see above); inner=f(dict) on its inner page; leaf_entries; counts=(files,
    directories, bytes) as claimed; stored=(page id, counts) when it is stored already."""
    return _made(name, tree.DIRECTORY, given, entries=list(entries))


def symlink(name, target, **given):
    given.setdefault("mode", 0o777)
    target = os.fsencode(target)
    given.setdefault("size", len(target))
    return _made(name, tree.SYMLINK, given, data=target)


def special(name, kind, rdev=0, **given):
    """A FIFO, a socket or a device."""
    return _made(name, kind, given, data=rdev)


# Packs

class Pack:
    """A pack being made. Attributes may be changed before finish()."""

    def __init__(self, repository, domain=MAIN, generation=GENERATION, signer=None, key=None, random=None, ephemeral=None):
        self.repository, self.domain, self.generation = repository, domain, generation
        self.keys = repository.keys.domain(domain, generation)
        self.signer = signer or repository.keys.writer_seed
        self.key, self.random, self.ephemeral = key or os.urandom(32), random or os.urandom(32), ephemeral
        self.blocks = []  # (role, [(id, bytes)], method)
        self.ids = set()
        self.name = None

    def add(self, role, data, method=1, identity=None):
        """Store a chunk in a block of its own and return its id; what is there already is not stored again."""
        identity = identity or self.keys.chunk_id(role, data)
        if identity not in self.ids:
            self.ids.add(identity)
            self.blocks.append((role, [(identity, data)], method))
        return identity

    def add_block(self, role, pieces, method=1):
        """Several chunks in one block."""
        block = [(self.keys.chunk_id(role, piece), piece) for piece in pieces]
        self.blocks.append((role, block, method))
        return [identity for identity, _ in block]

    def build(self, padding=True, **hooks):
        """The pack's bytes. Hooks: header=f(bytearray) before, whole_header=f(bytes) after the commitment;
        block=f(number, bytes) on what is encrypted; frame, toc_frame: compressors; toc=f(dict); plain_length=f(n) on the
        toc's; t=f(bytes) on the toc before it is sealed; sealed, signature, trailer: f(bytes)."""
        head = self.repository.header(b"P", self.key, self.domain, self.generation, random=self.random,
                                      ephemeral=self.ephemeral, patch=hooks.get("header"))
        self.header = hooks.get("whole_header", same)(head)
        blocks = list(self.blocks)
        data = self._build(blocks, hooks)
        if padding and len(data) < 1 << 20 and padme(len(data)) > len(data):
            # The block's own entry makes the toc a little larger; "at least Padmé" allows for that.
            blocks.append((PADDING, [(None, bytes(padme(len(data)) - len(data)))], 0))
            data = self._build(blocks, hooks)
        return data

    def _build(self, blocks, hooks):
        HH, out = H(self.header), [self.header]
        toc = {name: [] for name in ("block_stored", "block_plain", "block_chunks", "block_roles", "block_methods",
                                     "chunk_lengths")}
        toc.update(block_tags=b"", chunk_ids=b"")
        block_key = derive("mbu v1 block key", self.key)
        for number, (role, pieces, method) in enumerate(blocks):
            plain = b"".join(data for _, data in pieces)
            stored = hooks.get("frame", compress)(plain) if method == 1 else plain
            stored = hooks.get("block", lambda _, data: data)(number, stored)
            aad = HH + struct.pack("<IBBHI", number, role, method, 0, len(plain))
            sealed = gcm_encrypt(block_key, struct.pack("<IQ", number, 0), aad, stored)
            out.append(sealed[:-16])
            chunks = [] if role == PADDING else pieces
            for name, value in (("stored", len(stored)), ("plain", len(plain)), ("chunks", len(chunks)), ("roles", role),
                                ("methods", method)):
                toc["block_" + name].append(value)
            toc["block_tags"] += sealed[-16:]
            toc["chunk_ids"] += b"".join(identity for identity, _ in chunks)
            toc["chunk_lengths"] += [len(data) for _, data in chunks]
        hooks.get("toc", same)(toc)
        self.toc = toc
        plain = o.TOC.encode("Toc", toc)
        packed = hooks.get("toc_frame", compress)(plain)
        t = o.public_of(self.signer) + struct.pack("<II", hooks.get("plain_length", same)(len(plain)), len(packed)) + packed
        t = hooks.get("t", same)(t + bytes(-len(t) % 64))
        toc_key = derive("mbu v1 toc key", self.keys.index + HH)
        sealed = gcm_encrypt(toc_key, o.ZERO_NONCE, HH, t)
        signature = o.signing_key(self.signer).sign(o.SIGNATURE + b"P" + HH + H(sealed)).signature
        trailer = struct.pack("<II8s", len(sealed), 0, b"MBUPEND1")
        return b"".join(out + [hooks.get("sealed", same)(sealed), hooks.get("signature", same)(signature),
                               hooks.get("trailer", same)(trailer)])

    def finish(self, name=None, **hooks):
        """Write the pack and return its name (32 bytes)."""
        data = self.build(**hooks)
        self.size = len(data)
        self.name = self.repository.put("data", data, name)
        self.repository.packs.append(self)
        return self.name

    def indexed(self):
        """What an index says of it."""
        ids = self.toc["chunk_ids"]
        prefixes = b"".join(ids[at:at + 16] for at in range(0, len(ids), 32))
        return {"name": self.name, "size": self.size, "header": self.header, "writer": o.public_of(self.signer),
                "toc": {**self.toc, "chunk_ids": prefixes}}


# Repositories

class Repository:
    """A repository with a config, one owner's slot and one statement."""

    def __init__(self, path, password=b"test", root=None, repo=None, kdf=CHEAP_ARGON2ID, config=None, slot=None,
                 statement=None, start=True):
        """config=f(bytearray), slot=f(bytearray) patch what is written; statement=f(dict) the first statement's table.
        With start=False there is nothing but the config."""
        self.path, self.packs, self.statements, self.snapshots = os.fsencode(path), [], [], []
        os.makedirs(self.path, exist_ok=True)
        self.root, self.repo = root or os.urandom(32), repo or os.urandom(32)
        self.keys = o.OwnerKeys(self.root, self.repo)
        self.instance = os.urandom(16)
        data = self.config_bytes(config)
        with open(os.path.join(self.path, b"config"), "wb") as out:
            out.write(data)
        self.config_hash = H(data)
        for folder in ("keys", "state", "data", "index", "snapshots", "locks"):
            os.makedirs(os.path.join(self.path, folder.encode()), exist_ok=True)
        if start:
            self.add_slot(password, kdf=kdf, patch=slot)
            table = {"slots_added": self.slot, "sealing": [{"generation": GENERATION,
                                                            "public_key": self.keys.sealing_public(GENERATION)}],
                     "chunker": {"minimum": 1 << 18, "normal": 1 << 20, "maximum": 1 << 22}}
            if statement:
                statement(table)
            self.add_statement(**table)

    def put(self, folder, data, name=None):
        """Write an object under the hash of its bytes, or under another name; its name is returned."""
        name = name or H(data)
        where = [self.path, folder.encode()] + ([name.hex()[:2].encode()] if folder == "data" else [])
        os.makedirs(os.path.join(*where), exist_ok=True)
        with open(os.path.join(*where, name.hex().encode()), "wb") as out:
            out.write(data)
        return name

    def config_bytes(self, patch=None):
        data = bytearray(struct.pack("<8sHHI32s32s", b"MBUCONF1", 1, 1, 0, self.repo, self.keys.owner_public))
        if patch:
            patch(data)
        return bytes(data) + H(bytes(data))

    # Slots

    def add_slot(self, password=b"test", kdf=CHEAP_ARGON2ID, name="test", role=o.OWNER, secret=None, x25519=None, salt=None,
                 created=WHEN * 10 ** 9, patch=None, patch_all=None):
        """patch=f(bytearray) on the first 112 bytes before label and secret are bound to them; patch_all=f(bytes)."""
        own = x25519 or os.urandom(32)
        data = self.slot_bytes(password, kdf, name, role, secret, own, salt or os.urandom(16), created, patch)
        self.slot = self.put("keys", patch_all(data) if patch_all else data)
        return self.slot

    def slot_bytes(self, password, kdf, name, role, secret, own, salt, created, patch=None):
        secret = self.root + own if secret is None else secret
        label = struct.pack("<Q", created) + name.encode()
        label += bytes(-len(label) % 32)
        head = bytearray(struct.pack("<4sHH32sBBHIII16s32sHHI", b"MBUK", 1, 1, self.config_hash, role, kdf[0], 0, kdf[1],
                                     kdf[2], 1, salt, nacl.bindings.crypto_scalarmult_base(own), len(label) + 16,
                                     len(secret) + 16, 0))
        # The password's key is derived by the parameters meant, so that a slot can claim forbidden ones at no cost.
        password_key = o.Slot("", role, *kdf, salt, b"", b"", 0).password_key(password)
        if patch:
            patch(head)
        head = bytes(head)
        label_key = derive("mbu v1 label key", self.keys.common + head[:104])
        head += gcm_encrypt(label_key, o.ZERO_NONCE, head, label)
        return head + gcm_encrypt(derive("mbu v1 slot key", password_key), o.ZERO_NONCE, H(head), secret)

    # Sealed objects

    def header(self, kind, key=None, domain=MAIN, generation=GENERATION, random=None, ephemeral=None, patch=None):
        """A header with its commitment; patch=f(bytearray) on the 96 bytes before it. In shared mode the key follows from
        it, see shared_key()."""
        mode = o.MODES[kind]
        start = bytearray(struct.pack("<3scHH32s16sIHH", b"MBU", kind, 1, 1, self.repo, domain, generation, mode,
                                      80 if mode == o.SEALED else 0) + (random or os.urandom(32)))
        if patch:
            patch(start)
        start = bytes(start)
        key = key or self.shared_key(kind, start, domain, generation)
        sealed = seal(self.keys.sealing_public(generation), key, ephemeral) if mode == o.SEALED else b""
        return start + derive("mbu v1 key commitment", key + start) + sealed

    def shared_key(self, kind, start, domain, generation):
        shared = self.keys.domain(domain, generation).index if kind == b"I" else self.keys.common
        return derive("mbu v1 shared object key", shared + start[:96])

    def sealed(self, kind, table, signer, key=None, domain=MAIN, generation=GENERATION, random=None, ephemeral=None,
               header=None, whole_header=None, frame=compress, body=None, length=None, signed=None):
        """The bytes of an index, snapshot, statement or lock. table: the FlatBuffer's bytes.
        Hooks: header=f(bytearray) before, whole_header=f(bytes) after the commitment; length=f(n) on the decompressed
        length; signed=f(bytes) on the message signed; body=f(x) on the plain body before it is encrypted."""
        if o.MODES[kind] == o.SEALED:
            key = key or os.urandom(32)
        head = self.header(kind, key, domain, generation, random, ephemeral, header)
        key = key or self.shared_key(kind, head, domain, generation)
        head = whole_header(head) if whole_header else head
        packed = frame(table)
        tail = struct.pack("<II", length(len(table)) if length else len(table), len(packed)) + packed
        message = o.SIGNATURE + kind + H(head) + H(tail)
        signature = o.signing_key(signer).sign(signed(message) if signed else message).signature
        x = o.public_of(signer) + signature + tail
        size = len(head) + len(x) + 16
        if size < 1 << 20:
            x += bytes(padme(size) - size)
        x = body(x) if body else x
        return head + gcm_encrypt(derive("mbu v1 body key", key), o.ZERO_NONCE, H(head), x)

    def add(self, kind, schema, root, table, signer, raw_table=None, **hooks):
        encoded = schema.encode(root, table)
        data = self.sealed(kind, raw_table(encoded) if raw_table else encoded, signer, **hooks)
        return self.put(o.FOLDERS[kind], data)

    def add_statement(self, hooks=None, signer=None, **table):
        """A statement after all that this writer made; `number` and `previous` may be given."""
        table.setdefault("number", len(self.statements) + 1)
        table.setdefault("previous", self.statements[-1] if self.statements else None)
        table.setdefault("time_ns", WHEN * 10 ** 9)
        name = self.add(b"T", o.STATEMENT, "Statement", table, signer or self.keys.owner_seed, **(hooks or {}))
        self.statements.append(name)
        return name

    def add_index(self, packs=None, hooks=None, signer=None, table=None):
        """An index of the packs made so far. table=f(dict) may change it."""
        value = {"packs": [pack.indexed() for pack in (self.packs if packs is None else packs)]}
        if table:
            table(value)
        return self.add(b"I", o.TOC, "Index", value, signer or self.keys.writer_seed, **(hooks or {}))

    def add_lock(self, kind, hooks=None, signer=None, **table):
        table = {"kind": kind, "instance": self.instance, "number": 1, "time_ns": WHEN * 10 ** 9, **table}
        signer = signer or (self.keys.owner_seed if kind == 3 else self.keys.writer_seed)
        return self.add(b"L", o.LOCK, "Lock", table, signer, **(hooks or {}))

    def add_snapshot(self, entries=(), root=None, pack=None, pack_hooks=None, index=True, hooks=None, signer=None,
                     pack_signer=None, paths=("/",), time_s=None, table=None, **fields):
        """Store a tree in one pack, index it, and publish a snapshot of it. entries: those of `/`, or root=directory().
        fields: of the FlatBuffer `Snapshot`; table=f(dict) may change it."""
        pack = pack or Pack(self, signer=pack_signer)
        root = root or directory("/", entries)
        page, counts = self.store_directory(pack, root)
        pack.finish(**(pack_hooks or {}))
        if index:
            self.add_index([pack])
        value = {"instance": self.instance, "number": len(self.snapshots) + 1,
                 "previous": self.snapshots[-1] if self.snapshots else None, "statements": self.statements[-1],
                 "time_s": time_s if time_s is not None else int(time.time()), "time_ns": 0, "started_ns": WHEN * 10 ** 9,
                 "finished_ns": WHEN * 10 ** 9, "host": "host", "user": "user", "uid": 1000, "gid": 1000,
                 "paths": [{"bytes": os.fsencode(path)} for path in paths], "program": "make_repository",
                 "root": page, "files": counts[0], "directories": counts[1], "bytes": counts[2],
                 "stored_bytes": pack.size, "packs_added": b"".join(each.name for each in self.packs),
                 **fields}
        if table:
            table(value)
        name = self.add(b"S", o.SNAPSHOT, "Snapshot", value, signer or self.keys.writer_seed, **(hooks or {}))
        self.snapshots.append(name)
        return name

    # Trees

    def store_content(self, pack, data, kind=None, chunk_size=CHUNK_SIZE, list_items=LIST_ITEMS, role=DATA):
        """Store bytes as direct chunks or a tree of lists: {kind, chunk_ids, chunk_lengths} or {kind, tree_id, tree_level}."""
        pieces = [data[i:i + chunk_size] for i in range(0, len(data), chunk_size)]
        items = [(pack.add(role, piece), len(piece)) for piece in pieces]
        if kind is None:
            kind = tree.DIRECT if len(items) <= 8 else tree.TREE
        if kind == tree.DIRECT:
            return {"kind": kind, "chunk_ids": b"".join(i for i, _ in items), "chunk_lengths": [n for _, n in items]}
        level = -1
        while level < 0 or len(items) > 1:
            level += 1
            groups = [items[i:i + list_items] for i in range(0, len(items), list_items)]
            items = [(pack.add(LIST, chunk_list(level, group)), sum(n for _, n in group)) for group in groups]
        return {"kind": kind, "tree_id": items[0][0], "tree_level": level}

    def store_directory(self, pack, made):
        """Store the pages of a directory and all below it: (id of its root page, (files, directories, bytes))."""
        counts, below = [0, 0, 0], {}
        for number, entry in enumerate(made.entries):
            if entry.type == tree.DIRECTORY:
                page, inner = entry.options.get("stored") or self.store_directory(pack, entry)
                below[number] = page, entry.options.get("counts", inner)
                counts = [counts[0] + inner[0], counts[1] + inner[1] + 1, counts[2] + inner[2]]
            else:
                counts[0] += 1
                counts[2] += entry.fields["size"] if entry.type == tree.REGULAR else 0
        limit = made.options.get("leaf_entries", LEAF_ENTRIES)
        leaves = range(0, max(1, len(made.entries)), limit)
        ids = []
        for start in leaves:
            part = made.entries[start:start + limit]
            page = self.leaf(pack, part, {n - start: below[n] for n in below if start <= n < start + limit})
            if made.options.get("page"):
                made.options["page"](page)
            if made.options.get("store"):
                ids.append(made.options["store"](self, pack, page))
            else:
                ids.append(pack.add(PAGE, o.PAGES.encode("Page", page)))
        counts = tuple(count % (1 << 64) for count in counts)
        if len(ids) == 1:
            return ids[0], counts
        parts = [made.entries[start:start + limit] for start in leaves]
        inner = {"level": 1, "child_ids": b"".join(ids), "child_entries": [len(part) for part in parts],
                 "child_name_lengths": [len(part[0].name) for part in parts],
                 "child_names": b"".join(part[0].name for part in parts)}
        if made.options.get("inner"):
            made.options["inner"](inner)
        return pack.add(PAGE, o.PAGES.encode("Page", inner)), counts

    def leaf(self, pack, entries, below):
        """The dictionary of a leaf. below: {position: (page, counts)} of its directories."""
        page = {name: [] for name in (
            "name_lengths", "modes", "owner_index", "mtime_s", "mtime_ns", "btime_s", "btime_ns", "sizes", "directory_files",
            "directory_dirs", "directory_bytes", "chunk_counts", "chunk_lengths", "rdevs", "sparse_rows", "sparse_maps",
            "link_rows", "link_groups", "attribute_rows", "attribute_index", "attribute_sets", "flag_rows", "flags")}
        page.update({name: bytearray() for name in (
            "names", "types", "directory_ids", "content_kinds", "chunk_ids", "tree_ids", "tree_levels", "targets")})
        page.update(level=0, owners=[{"uid": os.getuid(), "gid": os.getgid(), "user": "user", "group": "group"}])
        inline = bytearray()
        for row, entry in enumerate(entries):
            page["names"] += entry.name
            page["types"].append(entry.type)
            for vector, value in (("name_lengths", len(entry.name)), ("modes", entry.fields["mode"]),
                                  ("owner_index", entry.fields["owner"]), ("sizes", entry.fields["size"])):
                page[vector].append(value)
            for vector in ("mtime_s", "mtime_ns", "btime_s", "btime_ns"):
                page[vector].append(entry.fields[vector])
            if entry.type == tree.DIRECTORY:
                identity, counts = below[row]
                page["directory_ids"] += identity
                for vector, value in zip(("directory_files", "directory_dirs", "directory_bytes"), counts):
                    page[vector].append(value)
            elif entry.type == tree.REGULAR:
                self._leaf_file(pack, page, row, entry, inline)
            elif entry.type == tree.SYMLINK:
                page["targets"] += entry.data
            elif entry.type in (tree.CHARACTER, tree.BLOCK):
                page["rdevs"].append(entry.data)
            if entry.fields["link_group"] is not None:
                page["link_rows"].append(row)
                page["link_groups"].append(entry.fields["link_group"])
            if entry.fields["attributes"]:
                page["attribute_rows"].append(row)
                page["attribute_index"].append(len(page["attribute_sets"]))
                page["attribute_sets"].append({"attributes": [
                    {"name": name, "value": value} for name, value in entry.fields["attributes"]]})
            if entry.fields["flags"]:
                page["flag_rows"].append(row)
                page["flags"].append(entry.fields["flags"])
        if inline:
            page["inline_chunk"], page["inline_length"] = pack.add(INLINE, bytes(inline)), len(inline)
        return page

    def _leaf_file(self, pack, page, row, entry, inline):
        given = entry.options
        if "map_bytes" in given:
            stored = given.get("map_stored", len(given["map_bytes"]) > 512)
            if stored:
                value = self.store_content(pack, given["map_bytes"], tree.TREE if stored == "tree" else tree.DIRECT, 1 << 16)
                del value["kind"]
            else:
                value = {"inline": given["map_bytes"]}
            page["sparse_rows"].append(row)
            page["sparse_maps"].append(value)
        content = given.get("content")
        if content is None:
            kind = given.get("kind")
            if kind is None and "map_bytes" in given:
                kind = tree.DIRECT if entry.data else tree.EMPTY
            elif kind is None and len(entry.data) <= INLINE_LIMIT:
                kind = tree.INLINE_CONTENT if entry.data else tree.EMPTY
            if kind == tree.INLINE_CONTENT:
                inline += entry.data
            content = {"kind": kind} if kind in (tree.EMPTY, tree.INLINE_CONTENT) else self.store_content(
                pack, entry.data, kind, given.get("chunk_size", CHUNK_SIZE), given.get("list_items", LIST_ITEMS))
        elif callable(content):
            content = content(self, pack)
        page["content_kinds"].append(content["kind"])
        if content["kind"] == tree.DIRECT:
            page["chunk_counts"].append(content.get("count", len(content["chunk_lengths"])))
            page["chunk_ids"] += content["chunk_ids"]
            page["chunk_lengths"] += content["chunk_lengths"]
        elif content["kind"] == tree.TREE:
            page["tree_ids"] += content["tree_id"]
            page["tree_levels"].append(content["tree_level"])


def chunk_list(level, items, count=None, zero=bytes(3)):
    """The bytes of a chunk list; items: [(id, bytes)]."""
    return (bytes([level]) + zero + struct.pack("<I", len(items) if count is None else count)
            + b"".join(identity + struct.pack("<Q", length) for identity, length in items))

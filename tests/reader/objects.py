"""The objects of a repository: config, slots, the sealed objects, and the keys that open them (FORMAT.md §1–§9)."""

import hashlib
import os
import re
import struct
from dataclasses import dataclass, field, replace
from functools import cached_property

import nacl.bindings
import nacl.exceptions
import nacl.pwhash.argon2id
import nacl.signing
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import fb
from blake3 import derive_key as derive
from blake3 import keyed_hash as keyed

MAIN = b"main" + bytes(12)
SIGNATURE = b"mbu v1 signature"
ZERO_NONCE = bytes(12)
MIB, GIB = 1 << 20, 1 << 30
SEALED, SHARED = 1, 2
MODES = {b"P": SEALED, b"S": SEALED, b"I": SHARED, b"T": SHARED, b"L": SHARED}
PREFIX = 16  # bytes of a chunk's id that an index has
FOLDERS = {b"P": "data", b"S": "snapshots", b"I": "index", b"T": "state", b"L": "locks"}
DATA, LIST, PAGE, INLINE, PADDING = 1, 2, 3, 4, 255
MAX_BLOCKS, MAX_CHUNKS, MAX_BLOCK, MAX_CHUNK, MAX_PACK = 65536, 4194304, 8 * MIB, 4 * MIB, (1 << 32) - 1

TOC, SLOT, PAGES, SNAPSHOT, STATEMENT, LOCK = (
    fb.load(name) for name in ("toc", "slot", "page", "snapshot", "statement", "lock"))


class Damaged(Exception):
    """An object violates a rule of the format: nothing of it may be used."""

    def __init__(self, name, reason):
        super().__init__(f"{name}: {reason}")
        self.object, self.reason = name, reason


class Refused(Exception):
    """The repository as a whole cannot be read."""


class WrongPassword(Refused):
    """No slot opens with that password."""


class Unreadable(Exception):
    """The object is sealed to somebody else."""


def need(condition, name, reason):
    if not condition:
        raise Damaged(name, reason)


def H(data):
    return hashlib.sha256(data).digest()


def gcm_encrypt(key, nonce, aad, data):
    return AESGCM(key).encrypt(nonce, data, aad)


def gcm_decrypt(key, nonce, aad, data, name, what):
    need(len(data) >= 16, name, f"{what} is shorter than its tag")
    try:
        return AESGCM(key).decrypt(nonce, data, aad)
    except InvalidTag:
        raise Damaged(name, f"{what} does not decrypt") from None


def verify(public, signature, message, name):
    try:
        nacl.signing.VerifyKey(public).verify(message, signature)
    except (nacl.exceptions.BadSignatureError, nacl.exceptions.ValueError):
        raise Damaged(name, "wrong signature") from None


def decode(schema, table, data, name):
    try:
        return schema.decode(table, data)
    except fb.Malformed as error:
        raise Damaged(name, f"no valid {table}: {error}") from None


def hashes(vector, name, what, size=32):
    """The elements of a hash vector."""
    need(len(vector) % size == 0, name, f"{what} is no hash vector")
    return [vector[i:i + size] for i in range(0, len(vector), size)]


def padme(length):
    e = length.bit_length() - 1
    s = e.bit_length()
    mask = (1 << (e - s)) - 1
    return (length + mask) & ~mask


def zstd_frame(data):
    """(window, content size or None, length of the frame, dictionary id) of the frame that data begins with."""
    def take(size):
        nonlocal at
        if at + size > len(data):
            raise ValueError("truncated")
        at += size
        return int.from_bytes(data[at - size:at], "little")

    at = 0
    if take(4) != 0xFD2FB528:
        raise ValueError("not a zstd frame")
    descriptor = take(1)
    single = descriptor >> 5 & 1
    if descriptor & 8:
        raise ValueError("reserved bit set")
    window = 0
    if not single:
        byte = take(1)
        window = 1 << 10 + (byte >> 3)
        window += window // 8 * (byte & 7)
    dictionary = take((0, 1, 2, 4)[descriptor & 3])
    flag = descriptor >> 6
    content = take((single, 2, 4, 8)[flag]) if single or flag else None
    if flag == 1:
        content += 256
    last = 0
    while not last:
        block = take(3)
        last, kind, size = block & 1, block >> 1 & 3, block >> 3
        if kind == 3:
            raise ValueError("reserved block type")
        take(1 if kind == 1 else size)
    take(4 if descriptor & 4 else 0)
    return content if single else window, content, at, dictionary


def decompress(data, size, name):
    """One zstd frame that fills data and holds exactly size bytes; nothing larger is ever allocated."""
    try:
        window, content, length, dictionary = zstd_frame(data)
        need(length == len(data), name, "more than one zstd frame, or bytes behind it")
        need(window <= 8 * MIB, name, f"zstd window of {window} bytes")
        need(dictionary == 0, name, "zstd frame wants a dictionary")
        need(content in (None, size), name, "zstd frame has another length")
        plain = zstandard.ZstdDecompressor().decompress(data, max_output_size=max(size, 1))
    except (ValueError, zstandard.ZstdError) as error:
        raise Damaged(name, f"zstd: {error}") from None
    need(len(plain) == size, name, "decompressed length differs")
    return plain


# Keys (§3)

class DomainKeys:
    """What follows from the secret D of one domain and generation."""

    def __init__(self, secret, common, domain):
        self.secret = secret
        self.data_id = derive("mbu v1 data id key", secret)
        self.list_id = derive("mbu v1 list id key", secret)
        self.page_id = derive("mbu v1 page id key", secret)
        self.gear_seed = derive("mbu v1 gear seed", secret)
        self.index = derive("mbu v1 index key", secret)
        self.page_cut = derive("mbu v1 page cut key", secret)[:16]
        self.link = derive("mbu v1 link key", common + domain)[:16]

    def chunk_id(self, role, data):
        return keyed({DATA: self.data_id, INLINE: self.data_id, LIST: self.list_id, PAGE: self.page_id}[role], data)


def signing_key(seed):
    return nacl.signing.SigningKey(seed)


def public_of(seed):
    return nacl.signing.SigningKey(seed).verify_key.encode()


class OwnerKeys:
    """Everything that follows from the root secret R."""

    def __init__(self, root, repo):
        self.root, self.repo = root, repo
        self.owner_seed = derive("mbu v1 owner signing seed", root + repo)
        self.writer_seed = derive("mbu v1 writer signing seed", root + repo)
        self.owner_public = public_of(self.owner_seed)
        self.writer_public = public_of(self.writer_seed)
        self.common = derive("mbu v1 common key", root + repo)
        self._domains = {}

    def sealing_secret(self, generation):
        return derive("mbu v1 sealing secret", self.root + self.repo + struct.pack("<I", generation))

    def sealing_public(self, generation):
        return nacl.bindings.crypto_scalarmult_base(self.sealing_secret(generation))

    def domain(self, domain, generation):
        if (domain, generation) not in self._domains:
            material = self.root + self.repo + domain + struct.pack("<I", generation)
            self._domains[domain, generation] = DomainKeys(derive("mbu v1 domain secret", material), self.common, domain)
        return self._domains[domain, generation]


class WriterKeys:
    """What a writer's credential holds: enough to list packs, not to read them."""

    def __init__(self, credential, name):
        for what in ("signing_seed", "x25519_secret", "common_key"):
            need(len(getattr(credential, what)) == 32, name, f"{what} is not 32 bytes long")
        need(len(credential.domain) == 16, name, "domain is not 16 bytes long")
        self.writer_seed, self.common = credential.signing_seed, credential.common_key
        self._pair, self._domain = credential.x25519_secret, credential.domain
        self.slot_public = nacl.bindings.crypto_scalarmult_base(self._pair)
        self.writer_public = public_of(self.writer_seed)
        self._domains = {(credential.domain, d.generation): DomainKeys(d.secret, self.common, credential.domain) for d in credential.domain_secrets}

    def take_grant(self, name, generation, sealed):
        try:
            secret = nacl.bindings.crypto_box_seal_open(sealed, self.slot_public, self._pair)
        except nacl.exceptions.CryptoError:
            raise Damaged(name, f"grant of generation {generation} does not open") from None
        need(len(secret) == 32, name, "grant is no secret")
        self._domains.setdefault((self._domain, generation), DomainKeys(secret, self.common, self._domain))

    def sealing_secret(self, generation):
        raise Unreadable(f"a writer's password does not open objects (generation {generation})")

    def domain(self, domain, generation):
        if (domain, generation) not in self._domains:
            raise Unreadable(f"no secret for domain {domain.hex()}, generation {generation}")
        return self._domains[domain, generation]


# config (§4)

@dataclass
class Config:
    repo: bytes
    owner: bytes
    hash: bytes


def parse_config(data):
    need(data[:8] == b"MBUCONF1", "config", "is no mbu config")
    need(len(data) == 112, "config", f"is {len(data)} bytes long")
    need(data[80:] == H(data[:80]), "config", "wrong hash")
    version, suite = struct.unpack_from("<HH", data, 8)
    if version != 1 or suite != 1:
        raise Refused(f"version {version}, suite {suite} is not known")
    need(data[12:16] == bytes(4), "config", "reserved bytes are not zero")
    return Config(data[16:48], data[48:80], H(data))


# Slots (§5)

OWNER, WRITER = 1, 2
ARGON2ID, PBKDF2, FIDO2 = 1, 2, 3


@dataclass
class Slot:
    name: str
    role: int
    kdf: int
    memory: int
    passes: int
    salt: bytes
    public: bytes
    raw: bytes
    label_length: int

    def password_key(self, password):
        if self.kdf == ARGON2ID:
            return nacl.pwhash.argon2id.kdf(32, password, self.salt, opslimit=self.passes, memlimit=self.memory * 1024)
        return hashlib.pbkdf2_hmac("sha256", password, self.salt, self.passes, 32)

    def unwrap(self, password):
        """The wrapped secret, or None when the password is not this slot's."""
        if self.kdf == FIDO2:
            return None
        key = derive("mbu v1 slot key", self.password_key(password))
        split = 112 + self.label_length
        try:
            return AESGCM(key).decrypt(ZERO_NONCE, self.raw[split:], H(self.raw[:split]))
        except InvalidTag:
            return None

    def label(self, common):
        """(creation time in ns, name)"""
        key = derive("mbu v1 label key", common + self.raw[:104])
        sealed = self.raw[112:112 + self.label_length]
        plain = gcm_decrypt(key, ZERO_NONCE, self.raw[:112], sealed, self.name, "label")
        need(len(plain) >= 32 and len(plain) % 32 == 0, self.name, "label is not padded to 32 bytes")
        text = plain[8:].rstrip(b"\0")
        try:
            return struct.unpack_from("<Q", plain)[0], text.decode()
        except UnicodeDecodeError:
            raise Damaged(self.name, "label is not UTF-8") from None


def parse_slot(name, data, config):
    need(len(data) <= 65536, name, "longer than 64 KiB")
    need(len(data) >= 112, name, "truncated")
    magic, version, suite, pinned, role, kdf, zero, memory, passes, lanes, salt, public, n, w, c, flags = struct.unpack_from(
        "<4sHH32sBBHIII16s32sHHHH", data)
    need(magic == b"MBUK", name, "is no slot")
    need(version == 1 and suite == 1, name, f"version {version}, suite {suite} is not known")
    need(pinned == config.hash, name, "belongs to another config")
    need(role in (OWNER, WRITER), name, f"unknown role {role}")
    need(zero == 0, name, "reserved bytes are not zero")
    need((1 <= c <= 1024 and flags <= 1) if kdf == FIDO2 else (c == 0 and flags == 0), name, "credential of a security key is not as it must be")
    need(lanes == 1, name, f"{lanes} lanes")
    if kdf == ARGON2ID:
        need(8 * 1024 <= memory <= 1024 * 1024, name, f"{memory} KiB of Argon2id memory")
        need(1 <= passes <= 16, name, f"{passes} Argon2id passes")
    elif kdf == PBKDF2:
        need(memory == 0, name, "PBKDF2 with memory")
        need(100_000 <= passes <= 100_000_000, name, f"{passes} PBKDF2 iterations")
    elif kdf == FIDO2:
        need(memory == 0 and passes == 0, name, "security key with memory or passes")
    else:
        raise Damaged(name, f"unknown KDF {kdf}")
    need(n >= 16 and w >= 16 and len(data) == 112 + n + c + w, name, "lengths of label and secret do not fit")
    return Slot(name, role, kdf, memory, passes, salt, public, data, n)


def open_slot(slot, password, config):
    """The keys behind a slot, or None when the password is not its own."""
    secret = slot.unwrap(password)
    if secret is None:
        return None
    if slot.role == OWNER:
        need(len(secret) == 64, slot.name, "wrapped secret is not 64 bytes long")
        keys, own = OwnerKeys(secret[:32], config.repo), secret[32:]
        need(keys.owner_public == config.owner, slot.name, "root secret is not that of the config's owner")
    else:
        credential = decode(SLOT, "WriterCredential", secret, slot.name)
        keys, own = WriterKeys(credential, slot.name), credential.x25519_secret
    need(nacl.bindings.crypto_scalarmult_base(own) == slot.public, slot.name, "X25519 keys do not belong together")
    return keys


# Headers and bodies (§6)

@dataclass
class Header:
    kind: bytes
    domain: bytes
    generation: int
    mode: int
    raw: bytes

    @property
    def hash(self):
        return H(self.raw)


def parse_header(name, data, kind, config):
    need(len(data) >= 128, name, "truncated")
    magic, letter, version, suite, repo, domain, generation, mode, s = struct.unpack_from("<3scHH32s16sIHH", data)
    need(magic == b"MBU" and letter == kind, name, "is of another kind")
    need(version == 1 and suite == 1, name, f"version {version}, suite {suite} is not known")
    need(repo == config.repo, name, "belongs to another repository")
    need(mode == MODES[kind], name, f"key mode {mode} does not fit the kind")
    need(s == (80 if mode == SEALED else 0), name, f"sealed key of {s} bytes")
    need(kind not in b"TL" or domain == MAIN, name, "is not in domain main")
    need(len(data) >= 128 + s, name, "truncated")
    return Header(kind, domain, generation, mode, data[:128 + s])


def object_key(name, header, keys):
    """K, once its commitment has been checked."""
    start = header.raw[:96]
    if header.mode == SEALED:
        secret = keys.sealing_secret(header.generation)
        public = nacl.bindings.crypto_scalarmult_base(secret)
        try:
            key = nacl.bindings.crypto_box_seal_open(header.raw[128:], public, secret)
        except nacl.exceptions.CryptoError:
            raise Damaged(name, "sealed key does not open") from None
        need(len(key) == 32, name, "key is not 32 bytes long")
    else:
        shared = keys.domain(header.domain, header.generation).index if header.kind == b"I" else keys.common
        key = derive("mbu v1 shared object key", shared + start)
    need(derive("mbu v1 key commitment", key + start) == header.raw[96:128], name, "key commitment differs")
    return key


def parse_body(name, data, header, key, may_sign, schema, table):
    """(signer, table) of an index, snapshot, statement or lock. may_sign(public key) decides on the signer."""
    start = len(header.raw)
    x = gcm_decrypt(derive("mbu v1 body key", key), ZERO_NONCE, header.hash, data[start:], name, "body")
    need(len(x) >= 104, name, "body is truncated")
    signer, signature = x[:32], x[32:96]
    length, z = struct.unpack_from("<II", x, 96)
    need(104 + z <= len(x), name, "compressed length exceeds the body")
    verify(signer, signature, SIGNATURE + header.kind + header.hash + H(x[96:104 + z]), name)
    need(may_sign(signer), name, f"signer {signer.hex()} is not entitled")
    need(not any(x[104 + z:]), name, "padding is not zero")
    need(length <= GIB, name, f"decompressed length of {length} bytes")
    return signer, decode(schema, table, decompress(x[104:104 + z], length, name), name)


# Packs (§7)

@dataclass
class Block:
    number: int
    role: int
    method: int
    offset: int
    stored: int
    plain: int
    tag: bytes
    chunks: list = field(default_factory=list)  # (id, offset, length); by an index the first 16 bytes of the id

    def as_indexed(self):
        return replace(self, chunks=[(identity[:PREFIX], offset, length) for identity, offset, length in self.chunks])


@dataclass
class Pack:
    name: str
    size: int
    header: Header
    writer: bytes
    blocks: list
    source: str  # the index or pack its toc is from

    @cached_property
    def places(self):
        """{chunk id: [(block, offset, length)]}"""
        out = {}
        for block in self.blocks:
            for identity, offset, length in block.chunks:
                out.setdefault(identity, []).append((block, offset, length))
        return out


def parse_toc(name, toc, header, space, in_index=False):
    """The blocks that a Toc describes. space: bytes between header and toc; an index only lets us bound them."""
    count = len(toc.block_stored)
    need(count <= MAX_BLOCKS and len(toc.chunk_lengths) <= MAX_CHUNKS, name, "too many blocks or chunks")
    for what in ("block_plain", "block_chunks", "block_roles", "block_methods"):
        need(len(getattr(toc, what)) == count, name, f"{what} has another length than block_stored")
    need(len(toc.block_tags) == 16 * count, name, "block_tags has another length")
    ids = hashes(toc.chunk_ids, name, "chunk_ids", PREFIX if in_index else 32)
    need(len(ids) == len(toc.chunk_lengths) == sum(toc.block_chunks), name, "chunk counts do not add up")
    total = sum(toc.block_stored)
    need(total <= space if in_index else total == space, name, "blocks do not fill the pack")
    blocks, offset, chunk = [], len(header.raw), 0
    for i in range(count):
        block = Block(i, toc.block_roles[i], toc.block_methods[i], offset, toc.block_stored[i], toc.block_plain[i],
                      toc.block_tags[16 * i:16 * i + 16])
        need(block.role in (DATA, LIST, PAGE, INLINE, PADDING), name, f"block {i} has the unknown role {block.role}")
        need(block.method in (0, 1), name, f"block {i} has the unknown method {block.method}")
        need(block.plain <= MAX_BLOCK, name, f"block {i} is {block.plain} bytes long")
        need(block.method == 1 or block.stored == block.plain, name, f"raw block {i} has two lengths")
        need(1 <= block.stored <= 8 * MIB + 65536, name, f"block {i} is stored in {block.stored} bytes")
        inside = 0
        for _ in range(toc.block_chunks[i]):
            length = toc.chunk_lengths[chunk]
            need(1 <= length <= MAX_CHUNK, name, f"chunk of {length} bytes")
            block.chunks.append((ids[chunk], inside, length))
            inside += length
            chunk += 1
        if block.role == PADDING:
            need(block.method == 0 and not block.chunks and i == count - 1, name, f"padding block {i} is not as it must")
        else:
            need(inside == block.plain, name, f"chunks of block {i} do not add up to its length")
        blocks.append(block)
        offset += block.stored
    return blocks


def parse_pack(name, data, keys, config, may_sign):
    """The pack as its own, signed toc describes it. may_sign(header, signer) decides on the signer."""
    header = parse_header(name, data, b"P", config)
    size, start = len(data), len(header.raw)
    need(start + 80 <= size <= MAX_PACK, name, f"is {size} bytes long")
    length, zero, magic = struct.unpack("<II8s", data[-16:])
    need(magic == b"MBUPEND1" and zero == 0, name, "has no trailer")
    need(start + length + 80 <= size, name, "toc is longer than the pack")
    sealed, signature = data[-80 - length:-80], data[-80:-16]
    HH = header.hash
    key = derive("mbu v1 toc key", keys.domain(header.domain, header.generation).index + HH)
    t = gcm_decrypt(key, ZERO_NONCE, HH, sealed, name, "toc")
    need(len(t) >= 40 and len(t) % 64 == 0, name, "toc is not padded to 64 bytes")
    signer = t[:32]
    plain, z = struct.unpack_from("<II", t, 32)
    need(40 + z <= len(t) and not any(t[40 + z:]), name, "toc is padded wrongly")
    verify(signer, signature, SIGNATURE + b"P" + HH + H(sealed), name)
    need(may_sign(header, signer), name, f"signer {signer.hex()} is not entitled")
    need(plain <= 160 * MIB, name, f"toc of {plain} bytes")
    toc = decode(TOC, "Toc", decompress(t[40:40 + z], plain, name), name)
    return Pack(name, size, header, signer, parse_toc(name, toc, header, size - start - length - 80), name)


def block_aad(header, block):
    return header.hash + struct.pack("<IBBHI", block.number, block.role, block.method, 0, block.plain)


def open_block(name, header, key, block, ciphertext):
    nonce = struct.pack("<IQ", block.number, 0)
    what = f"block {block.number}"
    plain = gcm_decrypt(derive("mbu v1 block key", key), nonce, block_aad(header, block), ciphertext + block.tag, name, what)
    if block.method == 1:
        plain = decompress(plain, block.plain, name)
    need(block.role != PADDING or not any(plain), name, "padding is not zero")
    return plain


# Statements (§9)

class State:
    """What all statements together say."""

    def __init__(self):
        self.sealing, self.chunker, self.admitted, self.removed = {}, None, set(), {}
        self.slots_added, self.slots_removed, self.pins, self.forgets = set(), set(), set(), set()
        self.known, self.named, self.features = set(), set(), []
        self._chunker_rank = (0, b"")

    def add(self, name, number, s):
        self.known.add(name)
        self.named |= set(s.previous)
        self.features += s.features
        self.sealing.update({k.generation: k.public_key for k in s.sealing})
        if s.chunker is not None and (number, name) > self._chunker_rank:
            self.chunker, self._chunker_rank = s.chunker, (number, name)
        self.admitted |= {(w.public_key, w.domain) for w in s.admitted}
        for removal in s.removed:
            snapshots, packs = self.removed.setdefault(removal.public_key, (set(), set()))
            snapshots |= set(removal.accepted_snapshots)
            packs |= set(removal.accepted_packs)
        for what in ("slots_added", "slots_removed", "pins", "forgets"):
            getattr(self, what).update(getattr(s, what))

    def heads(self):
        return self.known - self.named


def split_statement(name, s):
    """Check a statement's own bounds and turn its hash vectors into lists."""
    for what in ("previous", "slots_added", "slots_removed", "pins", "forgets"):
        setattr(s, what, hashes(getattr(s, what), name, what))
    for writer in s.admitted:
        need(len(writer.public_key) == 32 and len(writer.domain) == 16, name, "admission is malformed")
    for removal in s.removed:
        need(len(removal.public_key) == 32, name, "removal is malformed")
        removal.accepted_snapshots = hashes(removal.accepted_snapshots, name, "accepted_snapshots")
        removal.accepted_packs = hashes(removal.accepted_packs, name, "accepted_packs")
    for key in s.sealing:
        need(len(key.public_key) == 32, name, "sealing key is malformed")
    need(s.number >= 1 and bool(s.previous) == (s.number > 1), name, f"number {s.number} does not fit `previous`")
    return s


# Files

NAME = re.compile(r"[0-9a-f]{64}")


def objects(path, folder):
    """[(printable name, path)] of the objects in a folder, sorted; whatever is not an object is passed over."""
    found = []
    try:
        names = sorted(os.listdir(os.path.join(path, folder)))
    except (FileNotFoundError, NotADirectoryError):
        return found
    for name in names:
        full = os.path.join(path, folder, name)
        if folder == "data":
            if re.fullmatch("[0-9a-f]{2}", name) and not os.path.islink(full):
                found += [o for o in objects(path, f"data/{name}") if o[0].split("/")[2].startswith(name)]
        elif NAME.fullmatch(name) and os.path.isfile(full) and not os.path.islink(full):
            found.append((f"{folder}/{name}", full))
    return found


def read_object(name, path):
    """An object's bytes, once its name has been checked."""
    with open(path, "rb") as file:
        data = file.read()
    need(H(data).hex() == name.rsplit("/", 1)[1], name, "name is not the hash of the bytes")
    return data

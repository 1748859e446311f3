"""BLAKE3 in plain Python: hash, keyed hash and key derivation, 32 bytes out.

The compression function works on integers that hold one 32-bit word in each 64-bit lane. With one lane that is
ordinary arithmetic; with a thousand lanes one big-integer operation advances a thousand chunks, which makes plain
Python about thirty times faster on long inputs.
"""

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
CHUNK_START, CHUNK_END, PARENT, ROOT, KEYED_HASH, DERIVE_CONTEXT, DERIVE_MATERIAL = 1, 2, 4, 8, 16, 32, 64
BLOCK, CHUNK, MAX_LANES = 64, 1024, 1024

# The quarter round. What a shift pushes over the edge of its lane lands above bit 31 of a lane and is masked away.
QUARTER = """
    v{a} = v{a} + v{b} + m[{x}] & mask
    v{d} ^= v{a}; v{d} = (v{d} >> 16 | v{d} << 16) & mask
    v{c} = v{c} + v{d} & mask
    v{b} ^= v{c}; v{b} = (v{b} >> 12 | v{b} << 20) & mask
    v{a} = v{a} + v{b} + m[{y}] & mask
    v{d} ^= v{a}; v{d} = (v{d} >> 8 | v{d} << 24) & mask
    v{c} = v{c} + v{d} & mask
    v{b} ^= v{c}; v{b} = (v{b} >> 7 | v{b} << 25) & mask"""


def _unrolled():
    """The source of compress(): seven rounds of eight quarter rounds, without a loop."""
    lines = ["def compress(cv, m, low, high, length, flags, ones):",
             "    mask = 0xFFFFFFFF * ones",
             "    v0, v1, v2, v3, v4, v5, v6, v7 = cv"]
    lines += [f"    v{8 + i} = {IV[i]} * ones" for i in range(4)]
    lines += ["    v12, v13, v14, v15 = low, high, length * ones, flags * ones"]
    order = list(range(16))
    for _ in range(7):
        for i in range(4):  # columns
            lines.append(QUARTER.format(a=i, b=4 + i, c=8 + i, d=12 + i, x=order[2 * i], y=order[2 * i + 1]))
        for i in range(4):  # diagonals
            lines.append(QUARTER.format(a=i, b=4 + (i + 1) % 4, c=8 + (i + 2) % 4, d=12 + (i + 3) % 4,
                                        x=order[8 + 2 * i], y=order[9 + 2 * i]))
        order = [order[p] for p in PERMUTATION]
    lines.append("    return [" + ", ".join(f"v{i} ^ v{i + 8}" for i in range(8)) + "]")
    return "\n".join(lines)


exec(_unrolled())  # pylint: disable=exec-used


def _load(data, offset, stride, count):
    """The sixteen words of `count` blocks that lie `stride` bytes apart, each word as one integer of `count` lanes."""
    words = []
    for word in range(16):
        lanes = bytearray(8 * count)
        for byte in range(4):
            start = offset + 4 * word + byte
            lanes[byte::8] = data[start:start + (count - 1) * stride + 1:stride]
        words.append(int.from_bytes(lanes, "little"))
    return words


def _store(words, count):
    """The opposite for eight words of chaining value: `count` × 32 bytes."""
    out = bytearray(32 * count)
    for word, value in enumerate(words):
        lanes = value.to_bytes(8 * count, "little")
        for byte in range(4):
            out[4 * word + byte::32] = lanes[byte::8]
    return bytes(out)


def _ones(count):
    return int.from_bytes(b"\1\0\0\0\0\0\0\0" * count, "little")


def _full_chunks(data, offset, count, counter, key, flags):
    """Chaining values of `count` chunks of 1024 bytes."""
    ones = _ones(count)
    numbers = range(counter, counter + count)
    low = int.from_bytes(b"".join((n & 0xFFFFFFFF).to_bytes(8, "little") for n in numbers), "little")
    high = int.from_bytes(b"".join((n >> 32).to_bytes(8, "little") for n in numbers), "little")
    cv = [word * ones for word in key]
    for block in range(16):
        here = flags | (CHUNK_START if block == 0 else 0) | (CHUNK_END if block == 15 else 0)
        cv = compress(cv, _load(data, offset + BLOCK * block, CHUNK, count), low, high, BLOCK, here, ones)
    return _store(cv, count)


def _last_chunk(data, counter, key, flags, root):
    """Chaining value of a chunk of at most 1024 bytes; the root's when it is the only one."""
    cv = list(key)
    blocks = [data[i:i + BLOCK] for i in range(0, len(data), BLOCK)] or [b""]
    for number, block in enumerate(blocks):
        last = number == len(blocks) - 1
        here = flags | (CHUNK_START if number == 0 else 0) | (CHUNK_END | (ROOT if root else 0) if last else 0)
        cv = compress(cv, _load(block.ljust(BLOCK, b"\0"), 0, BLOCK, 1), counter & 0xFFFFFFFF, counter >> 32,
                      len(block), here, 1)
    return _store(cv, 1)


def _parents(cvs, key, flags):
    """One level of the tree: neighbours are joined, an odd last one moves up as it is."""
    pairs, out = len(cvs) // 64, []
    for first in range(0, pairs, MAX_LANES):
        count = min(MAX_LANES, pairs - first)
        ones = _ones(count)
        words = compress([word * ones for word in key], _load(cvs, 64 * first, 64, count), 0, 0, BLOCK,
                         flags | PARENT, ones)
        out.append(_store(words, count))
    return b"".join(out) + cvs[64 * pairs:]


def _digest(data, key, flags):
    data = bytes(data)
    chunks = max(1, -(-len(data) // CHUNK))
    if chunks == 1:
        return _last_chunk(data, 0, key, flags, True)
    cvs = []
    for first in range(0, chunks - 1, MAX_LANES):
        cvs.append(_full_chunks(data, CHUNK * first, min(MAX_LANES, chunks - 1 - first), first, key, flags))
    cvs.append(_last_chunk(data[CHUNK * (chunks - 1):], chunks - 1, key, flags, False))
    level = b"".join(cvs)
    while len(level) > 64:
        level = _parents(level, key, flags)
    return _parents(level, key, flags | ROOT)


def _words(key):
    assert len(key) == 32
    return [int.from_bytes(key[i:i + 4], "little") for i in range(0, 32, 4)]


def blake3(data):
    return _digest(data, IV, 0)


def keyed_hash(key, data):
    return _digest(data, _words(key), KEYED_HASH)


def derive_key(context, material):
    context_key = _digest(context.encode(), IV, DERIVE_CONTEXT)
    return _digest(material, _words(context_key), DERIVE_MATERIAL)

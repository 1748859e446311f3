#!/usr/bin/python3
"""The vectors of FORMAT.md §13, computed by this reader and writer.

    vectors.py            print them, one `name = value` a line
    vectors.py --check    compare them with the document (exit 1 when they differ)
    vectors.py --write    put them into the document
"""

import os
import re
import struct
import sys
import tempfile
import textwrap

import make_repository as make
import objects as o
from make_repository import chunk_list, raw_frame, sparse_map
from objects import DATA, LIST, MAIN, PAGE, H, derive, gcm_encrypt, keyed, padme

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "FORMAT.md")


def counting(first, count=32):
    return bytes(range(first, first + count))


def vectors():
    """[(name, value)]: bytes, numbers or text."""
    out = []

    def add(name, value):
        out.append((name, value))
        return value

    root, repo, random = add("R", counting(0)), add("repo", counting(32)), add("random", counting(64))
    K, ephemeral = add("K", counting(96)), add("ephemeral secret of seal", counting(128))
    salt, x25519 = add("salt", counting(160, 16)), add("slot's X25519 secret", counting(176))
    add("password", "password")

    with tempfile.TemporaryDirectory() as path:
        r = make.Repository(path, root=root, repo=repo, start=False)
        keys, domain = r.keys, r.keys.domain(MAIN, 1)

        out.append(("", "Keys (§3), domain main, generation 1"))
        add("owner's seed", keys.owner_seed)
        add("owner's public key", keys.owner_public)
        add("writer's seed", keys.writer_seed)
        add("writer's public key", keys.writer_public)
        add("sealing secret", keys.sealing_secret(1))
        add("sealing public key", keys.sealing_public(1))
        add("C", keys.common)
        add("D", domain.secret)
        for name, value in (("data id key", domain.data_id), ("list id key", domain.list_id), ("page id key", domain.page_id),
                            ("gear seed", domain.gear_seed), ("gear table, first four", keyed(domain.gear_seed, b"")),
                            ("index key", domain.index), ("page cut key", domain.page_cut), ("link key", domain.link)):
            add(name, value)

        out.append(("", "Config and slots (§4, §5): label `name`, created 1700000000000000000"))
        config = add("config", r.config_bytes())
        add("H(config)", H(config))
        argon = o.Slot("", 1, o.ARGON2ID, 8192, 1, salt, b"", b"", 0)
        add("P, Argon2id, 8192 KiB, 1 pass", argon.password_key(b"password"))
        pbkdf2 = o.Slot("", 1, o.PBKDF2, 0, 100_000, salt, b"", b"", 0)
        add("P, PBKDF2, 100000", pbkdf2.password_key(b"password"))
        add("slot, PBKDF2", r.slot_bytes(b"password", make.CHEAP_PBKDF2, "name", o.OWNER, None, x25519, salt,
                                         1_700_000_000 * 10 ** 9))

        out.append(("", "A pack's header with K sealed by the ephemeral secret (§6); block 2, data, raw, holds `hello` (§7)"))
        header = add("header", r.header(b"P", K, random=random, ephemeral=ephemeral))
        add("commitment", header[96:128])
        HH = add("HH", H(header))
        block_key = add("block key", derive("mbu v1 block key", K))
        nonce = add("nonce", struct.pack("<IQ", 2, 0))
        aad = add("aad", HH + struct.pack("<IBBHI", 2, DATA, 0, 0, 5))
        sealed = gcm_encrypt(block_key, nonce, aad, b"hello")
        add("ciphertext", sealed[:5])
        add("tag", sealed[5:])
        add("toc key", derive("mbu v1 toc key", domain.index + HH))

        out.append(("", "Chunk ids (§7); the list has level 0 and two items, `hello` and `world!` (§7.1)"))
        items = [(add(f"data id of `{text}`", domain.chunk_id(DATA, text.encode())), len(text)) for text in ("hello", "world!")]
        data = add("list", chunk_list(0, items))
        add("list id of the list", domain.chunk_id(LIST, data))
        add("page id of `hello`", domain.chunk_id(PAGE, b"hello"))

        out.append(("", "Sparse maps (§7.2)"))
        add("4096 hole, 3 data, 15901 hole, 4 data", sparse_map([(4096, 3), (15901, 4)]))
        add("0 hole, 1 data, 2^40 hole, 300 data", sparse_map([(0, 1), (1 << 40, 300)]))

        out.append(("", "Padmé (§6)"))
        for length in (200, 208, 1000, 4097, 65536, 65537, 999999, 1048575):
            add(f"Padmé of {length}", padme(length))

        out.append(("", "A whole statement (§6, §9), generation 1, its zstd frame being one raw block"))
        table = o.STATEMENT.encode("Statement", {
            "number": 1, "time_ns": 1_700_000_000 * 10 ** 9,
            "sealing": [{"generation": 1, "public_key": keys.sealing_public(1)}]})
        add("FlatBuffer", table)
        start = r.header(b"T", random=random)
        shared = add("its K", r.shared_key(b"T", start, MAIN, 1))
        add("its body key", derive("mbu v1 body key", shared))
        statement = add("statement", r.sealed(b"T", table, keys.owner_seed, random=random, frame=raw_frame))
        add("its name", H(statement))
    return out


def lines(wrapped):
    """The vectors as text; in the document long values go on in further lines."""
    for name, value in vectors():
        if not name:
            yield ""
            yield f"# {value}"
            continue
        text = value.hex() if isinstance(value, bytes) else str(value)
        if wrapped and len(name) + 3 + len(text) > 110:
            yield f"{name} ="
            yield from ("    " + part for part in textwrap.wrap(text, 96))
        else:
            yield f"{name} = {text}"


BLOCK = re.compile(r"(## 13\. Vectors\n.*?```\n)(.*?)(```\n)", re.DOTALL)
INTRODUCTION = """## 13. Vectors

Bytes are in hex. `tests/reader/vectors.py` computes them.

```
```
"""


def main():
    if sys.argv[1:] not in ([], ["--check"], ["--write"]):
        print(__doc__, file=sys.stderr)
        return 1
    if not sys.argv[1:]:
        print("\n".join(lines(False)))
        return 0
    with open(DOCUMENT, encoding="utf-8") as document:
        old = document.read()
    text = old if BLOCK.search(old) else old.replace("## 13. Vectors\n", INTRODUCTION)
    new = BLOCK.sub(lambda match: match[1] + "\n".join(lines(True)) + "\n" + match[3], text)
    if sys.argv[1] == "--check":
        return int(new != old)
    with open(DOCUMENT, "w", encoding="utf-8") as document:
        document.write(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())

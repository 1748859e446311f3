#!/usr/bin/python3
"""Frozen repositories: one of each format version, made when that version was new, which every later mbu must read.

tests/cli/frozen/format-N.tar.xz holds the packaging directory (repository/), a writer's credential (writer.credential) and the owner's recovery sheet
(sheet). What is in its snapshots is not stored beside it but made again by tree(). To freeze a format, with the program that introduces it:

    MBU_BINARY=build/release/mbu /usr/bin/python3 tests/cli/frozen.py N

A format that was published is never frozen again: it is these very bytes that must stay readable. tree() must not change either.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

FOLDER = os.path.join(os.path.dirname(os.path.realpath(__file__)), "frozen")
PASSWORD, WRITERS_PASSWORD = "correct horse", "laptop's own words"
# Where the tree lay. The snapshots, in the order of their making, by tag; the tree before and after it changed.
TREE = "/tmp/mbu-frozen/tree"
SNAPSHOTS = {"first": False, "second": True, "writer": True, "rotated": False}
FORGOTTEN = "second"
# Snapshots of a directory beside it with one file, which names the number of each: as many as it takes to get an index.
COUNTER, COUNTED = "/tmp/mbu-frozen/counter", 70
WHEN = 1_700_000_000_123_456_789  # nanoseconds
KIB = 1024


def noise(count, seed):
    """Bytes that do not compress."""
    return hashlib.shake_128(b"mbu frozen %d" % seed).digest(count)


def text(count, seed):
    """Bytes that do."""
    words = [b"pack", b"chunk", b"page", b"snapshot", b"nonce", b"carrier", b"of", b"\n"]
    return b" ".join(words[byte % len(words)] for byte in noise(count // 3, seed))[:count]


def tree(root, changed):
    """One of each kind of entry that needs no rights to make, and of each way in which contents are stored. Where the file system has no
    attributes, without the one; False then."""
    before = os.umask(0o022)
    try:
        make(root, changed)
    finally:
        os.umask(before)
    try:
        os.setxattr(os.path.join(root, "script"), "user.note", b"an attribute\0")
        complete = True
    except OSError:
        complete = False
    for folder, folders, files in os.walk(os.fsencode(root), topdown=False):
        for name in sorted([*folders, *files]):  # a file with two names has the time of the last
            path = os.path.join(folder, name)
            when = WHEN + int.from_bytes(hashlib.sha256(path[len(root):]).digest()[:4], "big")
            os.utime(path, ns=(when, when), follow_symlinks=False)
    os.utime(root, ns=(WHEN, WHEN))
    return complete


def make(root, changed):
    os.makedirs(root)

    def write(name, data, mode=0o644):
        path = os.path.join(os.fsencode(root), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, mode)
        return path

    write("empty", b"")
    for number in range(6):
        write(f"tiny/{number}.txt", text(40 + 30 * number, number))
    write("text", text(30 * KIB, 10) + (b"and one line more\n" if changed else b""))
    write("again/the same text", text(30 * KIB, 10))
    write("noise.jpg", noise(10 * KIB, 11), 0o600)
    write("many chunks", text(50 * KIB, 12) * (60 if changed else 50))
    write("script", b"#!/bin/sh\n", 0o755)
    write(b"\xff not utf-8 \n", b"bytes")
    write("größe 漢字", b"UTF-8")
    with open(os.path.join(root, "holes"), "wb") as file:
        file.truncate(3 * KIB * KIB)
        os.pwrite(file.fileno(), b"in the middle", KIB * KIB)
    os.symlink("text", os.path.join(root, "link"))
    os.symlink("nowhere/at all", os.path.join(root, "dangling"))
    os.link(os.path.join(root, "text"), os.path.join(root, "another name"))
    os.mkfifo(os.path.join(root, "pipe"), 0o640)
    for number in range(1200):  # more than a page
        write(f"many/entry {number:04}", b"")
    if changed:
        os.unlink(os.path.join(root, "tiny/3.txt"))
        write("new/file", b"came later")
    os.makedirs(os.path.join(root, "empty directory"))


def nobodys(member):
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def freeze(version):
    binary = os.path.abspath(os.environ["MBU_BINARY"])
    archive = os.path.join(FOLDER, f"format-{version}.tar.xz")
    if os.path.exists(archive):
        sys.exit(f"{archive} is there already: what is frozen stays as it is")
    with tempfile.TemporaryDirectory() as place:
        repository, credential, sheet = (os.path.join(place, name) for name in ("repository", "writer.credential", "sheet"))
        variables = {"PATH": os.environ["PATH"], "HOME": place, "TZ": "UTC", "LANG": "C.UTF-8", "MBU_REPOSITORY": repository}

        def mbu(*arguments, password=PASSWORD):
            return subprocess.run([binary, *arguments], env={**variables, "MBU_PASSWORD": password}, check=True, capture_output=True).stdout

        def snapshot(tag, *options, **more):
            if not tree(TREE, SNAPSHOTS[tag]):
                sys.exit(f"{TREE} lies where files have no attributes")
            mbu(*options, "backup", "--tag", tag, "--host", "frozen", TREE, **more)
            shutil.rmtree(TREE)

        def count(number):
            os.makedirs(COUNTER, exist_ok=True)
            with open(os.path.join(COUNTER, "number"), "w", encoding="ascii") as file:
                file.write(str(number))
            mbu("backup", "--tag", "counter", "--host", "frozen", COUNTER)

        cheap = ("--kdf-memory", "8M", "--kdf-time", "3")
        mbu("init", *cheap)
        snapshot("first")
        snapshot("second")
        words = os.path.join(place, "words")
        with open(words, "w", encoding="utf-8") as file:
            file.write(WRITERS_PASSWORD)
        mbu("key", "new-writer", "--name", "laptop", "-o", credential, "--ask-password", "--new-password-file", words, *cheap)
        snapshot("writer", "--credential", credential, password=WRITERS_PASSWORD)
        mbu("key", "rotate")
        snapshot("rotated")
        mbu("forget", next(s["id"] for s in json.loads(mbu("--json", "snapshots")) if s["tags"] == [FORGOTTEN]))
        for number in range(COUNTED):
            count(number)
        shutil.rmtree(os.path.dirname(TREE))
        with open(sheet, "wb") as file:
            file.write(mbu("key", "export-recovery"))
        with tarfile.open(archive, "w:xz", format=tarfile.PAX_FORMAT) as out:
            for path in (repository, credential, sheet):
                out.add(path, os.path.basename(path), filter=nobodys)
    print(archive, os.path.getsize(archive))


if __name__ == "__main__":
    freeze(int(sys.argv[1]))

"""Directory trees: made with every kind of entry there is, and compared by all that a backup must bring back.

Walks by descriptors, so that paths longer than PATH_MAX are no obstacle. Names are bytes.
"""

import hashlib
import os
import random
import socket
import stat
import struct
import subprocess

PIECE = 64 * 1024
# A file system may allocate for its own ends (extents' indexes, preallocation): no more than this apart is equal.
BLOCKS_TOLERANCE = 64 * 1024


# Reading

def content_hash(fd, size):
    """Of the pieces that are not all zeros, with their places: holes cost nothing and count as zeros."""
    digest = hashlib.sha256()
    at = 0
    while at < size:
        try:
            at = os.lseek(fd, at, os.SEEK_DATA)
            end = os.lseek(fd, at, os.SEEK_HOLE)
        except OSError:
            break  # only hole from here on
        at -= at % PIECE
        while at < end:
            piece = os.pread(fd, PIECE, at)
            if piece.count(0) != len(piece):
                digest.update(struct.pack("<Q", at) + piece)
            at += PIECE
    return digest.hexdigest()


def _attributes(path):
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return {}
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in names if name != "security.selinux"}


class Reader:
    def __init__(self):
        self.entries = {}
        self._links = {}

    def add(self, directory, name, path):
        status = os.lstat(name, dir_fd=directory)
        kind = stat.S_IFMT(status.st_mode)
        entry = {"type": kind, "mode": stat.S_IMODE(status.st_mode), "uid": status.st_uid, "gid": status.st_gid,
                 "mtime": status.st_mtime_ns, "xattrs": _attributes(b"/proc/self/fd/%d/%s" % (directory, name))}
        if kind == stat.S_IFLNK:
            entry["target"] = os.readlink(name, dir_fd=directory)
        elif kind == stat.S_IFREG:
            entry.update(size=status.st_size, blocks=status.st_blocks * 512)
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory)
            try:
                entry["content"] = content_hash(fd, status.st_size)
            finally:
                os.close(fd)
        elif kind in (stat.S_IFCHR, stat.S_IFBLK):
            entry["rdev"] = status.st_rdev
        if kind != stat.S_IFDIR:
            entry["nlink"] = status.st_nlink
            self._links.setdefault((status.st_dev, status.st_ino), []).append(path)
        self.entries[path] = entry
        if kind == stat.S_IFDIR:
            self._below(directory, name, path)

    def _below(self, directory, name, path):
        fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
        try:
            for below in sorted(os.fsencode(n) for n in os.listdir(fd)):
                self.add(fd, below, path + b"/" + below)
        finally:
            os.close(fd)

    def finish(self):
        for paths in self._links.values():
            for path in paths:
                self.entries[path]["links"] = tuple(sorted(paths))
        return self.entries


def read_tree(root):
    """{path below root: what is there}; the root itself is b""."""
    root = os.fsencode(root).rstrip(b"/")
    parent = os.open(os.path.dirname(root) or b"/", os.O_RDONLY | os.O_DIRECTORY)
    reader = Reader()
    try:
        reader.add(parent, os.path.basename(root), b"")
    finally:
        os.close(parent)
    return reader.finish()


# Comparing

def differences(wanted, found, ignore=()):
    """What differs between two read_tree(), as text; `ignore` names fields."""
    lines = [f"missing: {path!r}" for path in sorted(wanted.keys() - found.keys())]
    lines += [f"too much: {path!r}" for path in sorted(found.keys() - wanted.keys())]
    for path in sorted(wanted.keys() & found.keys()):
        a, b = wanted[path], found[path]
        for field in sorted(a.keys() | b.keys()):
            if field in ignore or a.get(field) == b.get(field):
                continue
            if field == "blocks" and abs(a[field] - b.get(field, -1 << 40)) <= BLOCKS_TOLERANCE:
                continue
            lines.append(f"{path!r}: {field} was {a.get(field)!r}, is {b.get(field)!r}")
    return lines


def assert_same(test, wanted, found, ignore=()):
    """Two trees, or what read_tree() said of one earlier, are the same in all that a backup keeps."""
    wanted = wanted if isinstance(wanted, dict) else read_tree(wanted)
    found = found if isinstance(found, dict) else read_tree(found)
    lines = differences(wanted, found, ignore)
    if lines:
        test.fail(f"{len(lines)} differences:\n" + "\n".join(lines[:40]))


# Making

def write(path, data=b"", mode=None):
    path = os.fsencode(path)
    with open(path, "wb") as file:
        file.write(data)
    if mode is not None:
        os.chmod(path, mode)
    return path


def write_sparse(path, size, pieces):
    """A file of `size` bytes with `pieces` {offset: bytes} and holes elsewhere."""
    with open(path, "wb") as file:
        file.truncate(size)
        for offset, data in pieces.items():
            os.pwrite(file.fileno(), data, offset)


def noise(count, seed=1):
    """Bytes that cannot be compressed."""
    return random.Random(seed).randbytes(count)


def text(count, seed=1):
    """Bytes that can."""
    words = [b"alpha", b"beta", b"gamma", b"delta", b"epsilon", b"\n"]
    source = random.Random(seed)
    return b" ".join(source.choices(words, k=count // 5 + 1))[:count]


NAMES = [
    b"plain", b"with space", b"-leading-dash", b"--help", b".hidden", b"new\nline", b"tab\tand\rreturn", b"\x01\x1b[31mred\x7f",
    b"quo'te\"s", b"back\\slash", b"st*r?[x]", b"$HOME`id`", b"\xff\xfe\x80 not utf-8", "ünïcödé 漢字 🙂".encode(),
    "u\u0308 decomposed".encode(), b"n" * 255, b"\xe6\xbc\xa2" * 85, b"~tilde", b"#hash", b"name.", b"...", b"..x", b"CON", b"a:b",
]


def make_names(root):
    root = os.fsencode(root)
    os.mkdir(root)
    for i, name in enumerate(NAMES):
        write(root + b"/" + name, b"content %d" % i)
    os.mkdir(root + b"/directories")
    for name in NAMES:
        os.mkdir(root + b"/directories/" + name)
        write(root + b"/directories/" + name + b"/inside", b"x")
    os.mkdir(root + b"/links")
    for name in NAMES:
        os.symlink(b"../" + name, root + b"/links/" + name)


def make_contents(root):
    os.mkdir(root)
    for size in (0, 1, 2, 100, 4095, 4096, 4097, 65535, 65536, 65537, 300_000, 1 << 20, (1 << 20) + 1):
        write(f"{root}/text-{size}", text(size, size))
        write(f"{root}/noise-{size}", noise(size, size))
    write(f"{root}/zeros", bytes(100_000))
    write(f"{root}/large", noise(3 << 20) + text(2 << 20) + noise(3 << 20))  # the same noise twice
    os.mkdir(f"{root}/empty directory")
    os.makedirs(f"{root}/many/levels/of/nothing")


def make_sparse(root):
    os.mkdir(root)
    mib = 1 << 20
    write_sparse(f"{root}/all hole", 10 * mib, {})
    write_sparse(f"{root}/leading hole", 5 * mib + 5000, {5 * mib: noise(5000)})
    write_sparse(f"{root}/trailing hole", 7 * mib + 1, {0: noise(4096)})
    write_sparse(f"{root}/several", 40 * mib, {0: b"a" * 4096, mib: noise(100_000), 9 * mib + 77: b"x", 39 * mib: noise(mib)})
    write_sparse(f"{root}/written zeros", 3 * mib, {mib: bytes(mib)})
    write_sparse(f"{root}/large", 3 << 40, {1 << 40: noise(70_000), (2 << 40) + 12345: b"far out"})


def make_links(root):
    os.mkdir(root)
    os.makedirs(f"{root}/a/b")
    os.mkdir(f"{root}/c")
    write(f"{root}/a/first", noise(200_000))
    os.link(f"{root}/a/first", f"{root}/a/b/second")
    os.link(f"{root}/a/first", f"{root}/c/third")
    write(f"{root}/c/small", b"tiny")
    os.link(f"{root}/c/small", f"{root}/small too")
    write(f"{root}/c/empty")
    os.link(f"{root}/c/empty", f"{root}/a/empty too")
    os.symlink("c/small", f"{root}/symbolic")
    os.link(f"{root}/symbolic", f"{root}/a/symbolic too", follow_symlinks=False)
    os.mkfifo(f"{root}/fifo")
    os.link(f"{root}/fifo", f"{root}/c/fifo too")
    os.symlink("nowhere at all", f"{root}/dangling")
    os.symlink("/", f"{root}/absolute")
    os.symlink("loop", f"{root}/loop")
    os.symlink("x/" * 2000, f"{root}/long")
    os.symlink(b"\xff\xfe\n", os.fsencode(f"{root}/odd"))


def make_modes(root):
    os.mkdir(root)
    for mode in (0o644, 0o600, 0o400, 0o000, 0o777, 0o4755, 0o2755, 0o6711, 0o1644, 0o1600, 0o4644, 0o007):
        if os.geteuid() == 0 or mode & 0o400:  # what its owner may not read is not to be packaged
            write(f"{root}/file-{mode:o}", b"%o" % mode, mode)
    for mode in (0o755, 0o700, 0o1777, 0o2775, 0o500, 0o555, 0o111 | 0o400):
        os.mkdir(f"{root}/directory-{mode:o}")
        write(f"{root}/directory-{mode:o}/inside", b"x")
    for mode in (0o755, 0o700, 0o1777, 0o2775, 0o500, 0o555, 0o511):
        os.chmod(f"{root}/directory-{mode:o}", mode)


class Attempts:
    """Runs what a file system, or a root that is none outside its container, may refuse; notes what was."""

    def __init__(self):
        self.missing = []

    def __call__(self, what, action):
        try:
            action()
        except OSError as error:
            self.missing.append(f"{what}: {error}")


def make_special(root):
    """Sockets, FIFOs; devices and foreign owners when root. Returns what could not be made."""
    os.mkdir(root)
    attempt = Attempts()
    os.mkfifo(f"{root}/fifo", 0o620)
    with socket.socket(socket.AF_UNIX) as unix:
        here = os.open(root, os.O_RDONLY)
        try:
            unix.bind(f"/proc/self/fd/{here}/socket")  # a socket's path is short
        finally:
            os.close(here)
    if os.geteuid() != 0:
        return []
    for name, mode, device in (("null", 0o666 | stat.S_IFCHR, (1, 3)), ("block", 0o660 | stat.S_IFBLK, (7, 200)),
                               ("large numbers", 0o600 | stat.S_IFCHR, (4000, 1_000_000))):
        attempt("device", lambda name=name, mode=mode, device=device: os.mknod(f"{root}/{name}", mode, os.makedev(*device)))
    for name, mode, owner in (("nameless", 0o640, (123_456_789, 987_654_321)), ("nobody", 0o6755, (65534, 65534)),
                              ("most", 0o644, (0xFFFFFFFE, 0xFFFFFFFE))):
        write(f"{root}/{name}", name.encode())
        attempt("owner", lambda name=name, owner=owner: os.chown(f"{root}/{name}", *owner))
        os.chmod(f"{root}/{name}", mode)  # chown clears some of it
    os.symlink("nobody", f"{root}/link of daemon")
    os.chown(f"{root}/link of daemon", 1, 1, follow_symlinks=False)
    os.mkdir(f"{root}/mail's")
    os.chown(f"{root}/mail's", 8, 8)
    return attempt.missing


def make_attributes(root):
    """Extended attributes and ACLs. Returns what could not be set."""
    os.mkdir(root)
    attempt = Attempts()

    def set_acl(path, *arguments):
        done = subprocess.run(["setfacl", *arguments, path], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise OSError(done.stderr.strip())

    write(f"{root}/file", b"x")
    os.mkdir(f"{root}/directory")
    for path in (f"{root}/file", f"{root}/directory"):
        attempt("user attribute", lambda path=path: os.setxattr(path, "user.comment", "grüße".encode()))
        attempt("binary attribute", lambda path=path: os.setxattr(path, "user.binary", bytes(range(256))))
        attempt("empty attribute", lambda path=path: os.setxattr(path, "user.empty", b""))
    write(f"{root}/large", b"x")
    attempt("large attribute", lambda: os.setxattr(f"{root}/large", "user.large", noise(3500)))
    write(f"{root}/acl", b"x", 0o640)
    attempt("acl", lambda: set_acl(f"{root}/acl", "-m", "u:1234:rw,u:65534:r,g:4321:rwx,m::rw"))
    os.mkdir(f"{root}/acl directory")
    attempt("default acl", lambda: set_acl(f"{root}/acl directory", "-m", "u:1234:rwx,d:u:1234:rwx,d:g:8:r,d:o::-"))
    write(f"{root}/acl directory/inherits", b"x")
    write(f"{root}/acl directory/has none", b"x")
    attempt("acl removed", lambda: set_acl(f"{root}/acl directory/has none", "-b"))
    os.mkdir(f"{root}/acl directory/below")
    if os.geteuid() == 0:
        write(f"{root}/capable", b"x", 0o755)
        os.chown(f"{root}/capable", 65534, 65534)
        ping = struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)  # cap_net_raw, permitted and effective
        attempt("capability", lambda: os.setxattr(f"{root}/capable", "security.capability", ping))
        attempt("trusted attribute", lambda: os.setxattr(f"{root}/file", "trusted.mark", b"t"))
        os.symlink("file", f"{root}/link")
        attempt("attribute of a link",
                lambda: os.setxattr(f"{root}/link", "trusted.mark", b"l", follow_symlinks=False))
    return attempt.missing


def make_times(root):
    os.mkdir(root)
    second = 1_000_000_000
    moments = {"old": -5 * second + 1, "epoch": 0, "odd": 1_234_567_890 * second + 123_456_789, "last": 2 * second - 1,
               "2100": 4_102_444_800 * second + 999_999_999}
    for name, moment in moments.items():
        write(f"{root}/{name}", b"x")
        os.mkdir(f"{root}/{name} directory")
        os.symlink("x", f"{root}/{name} link")
        os.utime(f"{root}/{name}", ns=(moment, moment))
        os.utime(f"{root}/{name} directory", ns=(moment, moment))
        os.utime(f"{root}/{name} link", ns=(moment, moment), follow_symlinks=False)
    os.utime(root, ns=(1, 987_654_321 * second + 5))


def make_everything(root):
    """A tree with every kind of entry; what the file system here does not let one make."""
    os.mkdir(root)
    make_names(f"{root}/names")
    make_contents(f"{root}/contents")
    make_sparse(f"{root}/sparse")
    make_links(f"{root}/links")
    make_modes(f"{root}/modes")
    missing = make_special(f"{root}/special") + make_attributes(f"{root}/attributes")
    make_times(f"{root}/times")
    return missing


def make_deep(root, levels=30, name=b"d" * 200):
    """A path longer than PATH_MAX, with a file in every directory."""
    os.mkdir(root)
    fd = os.open(root, os.O_RDONLY)
    for level in range(levels):
        os.mkdir(name, dir_fd=fd)
        below = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
        file = os.open(b"file", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=fd)
        os.write(file, b"level %d" % level)
        os.close(file)
    os.close(fd)


def make_plain(root, files=40, seed=7):
    """A tree of ordinary files, small and large, for tests whose subject is another."""
    os.makedirs(root)
    source = random.Random(seed)
    for i in range(files):
        folder = f"{root}/d{i % 5}"
        os.makedirs(folder, exist_ok=True)
        size = source.choice((0, 10, 500, 5_000, 20_000))
        write(f"{folder}/f{i}", text(size, i) if i % 2 else noise(size, i))
    write(f"{root}/d0/big", noise(1_500_000, seed))
    os.symlink("d0/f0", f"{root}/link")
    return root

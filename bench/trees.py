"""Trees to back up, the same for the same seed and scale: made, and changed in place as their owner would."""
import os
import random
import string

MIB = 1 << 20
# Times lie in the past, so that no program takes a file for one that is still being written.
OLD = 1_700_000_000


class Tree:
    """A tree under `root`. `single` is the file, relative to root, that single-file restores ask for."""

    def __init__(self, root, scale, seed):
        self.root, self.scale, self.random = root, scale, random.Random(f"{type(self).__name__} {seed}")
        self.single = None

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def count(self, number):
        return max(1, round(number * self.scale))

    def write(self, relative, data, when=None):
        path = self.path(relative)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        if when is not None:
            os.utime(path, (when, when))

    def files(self):
        """All files in a fixed order, relative to root."""
        found = []
        for folder, folders, names in os.walk(self.root):
            folders.sort()
            found += [os.path.relpath(os.path.join(folder, name), self.root) for name in sorted(names)]
        return found

    def read(self, relative):
        with open(self.path(relative), "rb") as file:
            return file.read()


class Source(Tree):
    """Small files of text in nested directories, as source code and documents are: 12,000 files, about 100 MB."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        letters = string.ascii_lowercase
        self.words = ["".join(self.random.choices(letters, k=self.random.randint(2, 11))) for _ in range(6000)]
        # Words come as in language: few of them often.
        self.weights = [1 / (rank + 3) for rank in range(len(self.words))]

    def text(self, size):
        words = self.random.choices(self.words, self.weights, k=size // 5 + 1)
        lines = [" ".join(words[i:i + 9]) for i in range(0, len(words), 9)]
        return "".join("    " * self.random.randint(0, 3) + line + ";\n" for line in lines).encode()[:size]

    def make(self):
        for number in range(self.count(12_000)):
            module, part = number // 400, number // 25 % 16
            size = int(min(self.random.lognormvariate(8.2, 1.2), 2 * MIB))
            self.write(f"module{module:03}/part{part:02}/{self.random.choice(self.words)}{number}.txt",
                       self.text(size), OLD + number)
        self.single = self.files()[self.count(12_000) // 2]

    def change(self):
        """One file in a hundred is edited, as many are new, a few go, and one directory gets another name."""
        files = [name for name in self.files() if name != self.single]
        chosen = self.random.sample(files, max(3, len(files) // 100))
        for name in chosen:
            data = self.read(name)
            at = self.random.randint(0, len(data))
            self.write(name, data[:at] + self.text(80) + data[at:])
        for number in range(len(chosen)):
            self.write(f"new/{number}.txt", self.text(6000))
        for name in self.random.sample(sorted(set(files) - set(chosen)), max(1, len(chosen) // 10)):
            os.remove(self.path(name))
        parts = sorted({os.path.dirname(name) for name in files} - {os.path.dirname(self.single)})
        os.rename(self.path(parts[0]), self.path(parts[0] + "-renamed"))


class Media(Tree):
    """Files that do not compress, as photographs and films are: 60 files, about 250 MB."""

    def make(self):
        for number in range(self.count(60)):
            self.write(f"album{number // 20}/{number:04}.jpg", self.random.randbytes(self.random.randint(MIB, 8 * MIB)),
                       OLD + number)
        self.single = self.files()[0]

    def change(self):
        """A few new files, one with other words at its head, one gone to another directory."""
        files = self.files()
        for number in range(self.count(3)):
            self.write(f"album-new/{number:04}.jpg", self.random.randbytes(4 * MIB))
        retagged = self.read(files[-1])
        self.write(files[-1], self.random.randbytes(3000) + retagged[1000:])
        os.makedirs(self.path("moved"), exist_ok=True)
        if len(files) > 2:
            os.rename(self.path(files[1]), self.path("moved", "photo.jpg"))


class Image(Tree):
    """One disk image: text, random and empty regions, 512 MB."""
    NAME = "disk.img"

    def make(self):
        self.single = self.NAME
        phrases = [self.random.randbytes(24) for _ in range(4000)]
        os.makedirs(self.root, exist_ok=True)
        with open(self.path(self.NAME), "wb") as file:
            for _ in range(self.count(512)):
                kind = self.random.random()
                if kind < 0.45:
                    file.write(b"".join(self.random.choices(phrases, k=MIB // 24 + 1))[:MIB])
                elif kind < 0.85:
                    file.write(self.random.randbytes(MIB))
                else:
                    file.write(bytes(MIB))
        os.utime(self.path(self.NAME), (OLD, OLD))

    def change(self):
        """Scattered blocks of 4 KiB are written anew, and at a few places bytes are put in, so that all behind them moves."""
        old = self.path(self.NAME + ".old")
        size = os.path.getsize(self.path(self.NAME))
        with open(self.path(self.NAME), "r+b") as file:
            for _ in range(max(4, self.count(100))):
                file.seek(self.random.randrange(0, size // 4096) * 4096)
                file.write(self.random.randbytes(4096))
        os.rename(self.path(self.NAME), old)
        with open(old, "rb") as source, open(self.path(self.NAME), "wb") as file:
            for place in sorted(self.random.sample(range(1, size), 6)):
                copy(source, file, place - source.tell())
                file.write(self.random.randbytes(self.random.randint(1, 3000)))
            copy(source, file, size - source.tell())
        os.remove(old)


class Usr(Tree):
    """Files of this machine: headers, documents, libraries and scripts, and what else its packages share, up to 60,000 files and 1,069 MB,
    as even a mixture of them as there are files. Real, but another machine has others."""
    PLACES = ("/usr/include", "/usr/share/doc", "/usr/lib", "/usr/share")

    def make(self):
        self.taken, self.bytes = set(), 0
        for quota in (1 / len(self.PLACES), 1):
            for place in self.PLACES:
                self.take(place, self.count(60_000) * quota, self.count(1_069_000_000) * quota)
        self.single = self.files()[len(self.taken) // 2]

    def take(self, place, most_files, most_bytes):
        """Files of a place in the order of their names, until it gave its part or the tree is full."""
        files, size = 0, 0
        for folder, folders, names in os.walk(place):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(folder, name)
                if path in self.taken or os.path.islink(path) or not os.path.isfile(path) or os.path.getsize(path) > 4 * MIB:
                    continue
                if (files >= most_files or size >= most_bytes or len(self.taken) >= self.count(60_000)
                        or self.bytes >= self.count(1_069_000_000)):
                    return
                with open(path, "rb") as file:
                    data = file.read()
                self.write(os.path.relpath(path, "/usr"), data, OLD + len(self.taken))
                self.taken.add(path)
                files, size, self.bytes = files + 1, size + len(data), self.bytes + len(data)

    def change(self):
        """One file in a hundred gets some bytes more."""
        for name in self.random.sample([name for name in self.files() if name != self.single], self.count(600)):
            data = self.read(name)
            at = self.random.randint(0, len(data))
            self.write(name, data[:at] + self.random.randbytes(40).hex().encode() + data[at:])


class Tiny(Tree):
    """Very many files of 0 to 2 KB: 30,000 of them."""
    KEYS = [b"interface", b"timeout.seconds", b"path.prefix", b"serial_number", b"checksum", b"version.major", b"colour"]

    def make(self):
        for number in range(self.count(30_000)):
            self.write(f"{number // 1000:03}/{number % 1000 // 50:02}/{number}", self.data(), OLD + number)
        self.single = self.files()[0]

    def data(self):
        """Settings: numbers that nobody else has, among words that everybody has."""
        size = self.random.randint(0, 2048)
        lines = []
        for _ in range(size // 24 + 1):
            lines.append(b"%s = %x\n" % (self.random.choice(self.KEYS), self.random.randrange(1 << 40)))
        return b"".join(lines)[:size]

    def change(self):
        files = self.files()[1:]
        for name in self.random.sample(files, max(1, len(files) // 100)):
            self.write(name, self.data())
        for number in range(max(1, len(files) // 100)):
            self.write(f"new/{number}", self.data())


def copy(source, target, length):
    while length > 0:
        piece = source.read(min(length, 4 * MIB))
        target.write(piece)
        length -= len(piece)


TREES = {"source": Source, "usr": Usr, "media": Media, "image": Image, "tiny": Tiny}

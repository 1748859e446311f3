"""The programs that are compared, each with its default settings and a password or key that is given without a terminal.

A tool is started once for every step and timed as a whole. `place` is a directory of its own for repository, cache and keys.
"""
import os
import shlex
import shutil
import subprocess

PASSWORD = "correct horse battery staple"


def bytes_below(root):
    return sum(os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(root) for name in names)


class Tool:
    def __init__(self, binary, place, tree):
        self.binary, self.place, self.tree = binary, place, tree
        self.repository = os.path.join(place, "repository")
        self.environment = {**os.environ, "HOME": place, "TMPDIR": place, **self.variables()}

    # What subclasses say: commands as argument lists or, for pipelines, as one string for bash.
    def variables(self):
        return {}

    def init(self):
        return None

    def before_backup(self, number):
        pass

    def backup(self, number):
        raise NotImplementedError

    def restore(self, number, target):
        raise NotImplementedError

    def single(self, number, path):
        """Writes one file of the tree to standard output. `path` is relative to the tree."""
        raise NotImplementedError

    def check(self, number):
        """Reads and verifies everything that is stored."""
        raise NotImplementedError

    def restored_tree(self, target):
        return os.path.join(target, self.tree.lstrip("/"))

    def stored(self):
        return bytes_below(self.repository)


class Mbu(Tool):
    def variables(self):
        inside = lambda name: os.path.join(self.place, name)
        return {"MBU_PASSWORD": PASSWORD, "MBU_REPOSITORY": self.repository, "MBU_CACHE_DIR": inside("cache"),
                "XDG_STATE_HOME": inside("state"), "XDG_CONFIG_HOME": inside("config"), "XDG_CACHE_HOME": inside("cache")}

    @staticmethod
    def version(binary):
        return first_line([binary, "version"])

    def init(self):
        return [self.binary, "init"]

    def backup(self, number):
        return [self.binary, "backup", self.tree]

    def restore(self, number, target):
        return [self.binary, "restore", "latest", "--target", target]

    def single(self, number, path):
        return [self.binary, "dump", f"latest:{self.tree}/{path}"]

    def check(self, number):
        return [self.binary, "check", "--read-data"]


class Restic(Tool):
    def variables(self):
        return {"RESTIC_PASSWORD": PASSWORD, "RESTIC_REPOSITORY": self.repository,
                "RESTIC_CACHE_DIR": os.path.join(self.place, "cache")}

    @staticmethod
    def version(binary):
        return " ".join(first_line([binary, "version"]).split()[:2])

    def init(self):
        return [self.binary, "init"]

    def backup(self, number):
        return [self.binary, "backup", self.tree]

    def restore(self, number, target):
        return [self.binary, "restore", "latest", "--target", target]

    def single(self, number, path):
        return [self.binary, "dump", "latest", f"{self.tree}/{path}"]

    def check(self, number):
        return [self.binary, "check", "--read-data"]


class Borg(Tool):
    def variables(self):
        return {"BORG_PASSPHRASE": PASSWORD, "BORG_REPO": self.repository,
                "BORG_BASE_DIR": os.path.join(self.place, "base")}

    @staticmethod
    def version(binary):
        return "borg " + first_line([binary, "--version"]).split()[-1]

    def init(self):
        return [self.binary, "init", "--encryption", "repokey"]

    def backup(self, number):
        return [self.binary, "create", f"::{number}", self.tree]

    def restore(self, number, target):
        # borg writes into the directory it is started in.
        return f"cd {shlex.quote(target)} && exec {shlex.quote(self.binary)} extract ::{number}"

    def single(self, number, path):
        return [self.binary, "extract", "--stdout", f"::{number}", f"{self.tree}/{path}".lstrip("/")]

    def check(self, number):
        return [self.binary, "check", "--verify-data"]


class TarAge(Tool):
    """tar, compressed and encrypted to a key: no deduplication, no password derivation, all of it every time."""

    @staticmethod
    def version(binary):
        zstd = first_line(["zstd", "--version"]).split(" v")[-1].split(",")[0]
        return f"tar | zstd {zstd} -3 | age {first_line(['age', '--version']).lstrip('v')}"

    def init(self):
        os.makedirs(self.repository)
        return ["age-keygen", "-o", os.path.join(self.place, "key")]

    def archive(self, number):
        return shlex.quote(os.path.join(self.repository, f"{number}.tar.zst.age"))

    def before_backup(self, number):
        remove_older(self.repository)

    def backup(self, number):
        parent, name = os.path.split(self.tree)
        key = shlex.quote(os.path.join(self.place, "key"))
        return (f"tar -C {shlex.quote(parent)} -cf - {shlex.quote(name)} | zstd -q -3 -T2 "
                f"| age -e -i {key} -o {self.archive(number)}")

    def unpacked(self, number):
        return f"age -d -i {shlex.quote(os.path.join(self.place, 'key'))} {self.archive(number)} | zstd -q -d"

    def restore(self, number, target):
        return f"{self.unpacked(number)} | tar -C {shlex.quote(target)} -xpf -"

    def single(self, number, path):
        return f"{self.unpacked(number)} | tar -xOf - {shlex.quote(os.path.basename(self.tree) + '/' + path)}"

    def check(self, number):
        return f"{self.unpacked(number)} | tar -tf -"

    def restored_tree(self, target):
        return os.path.join(target, os.path.basename(self.tree))


class Copy(Tool):
    """cp -a: what reading and writing files costs, without packing anything."""

    @staticmethod
    def version(binary):
        return "cp -a (coreutils " + first_line(["cp", "--version"]).split()[-1] + ")"

    def init(self):
        os.makedirs(self.repository)

    def before_backup(self, number):
        remove_older(self.repository)

    def backup(self, number):
        return ["cp", "-a", self.tree, os.path.join(self.repository, str(number))]

    def restore(self, number, target):
        return ["cp", "-a", os.path.join(self.repository, str(number)), self.restored_tree(target)]

    def single(self, number, path):
        return ["cat", os.path.join(self.repository, str(number), path)]

    def check(self, number):
        return ["diff", "-rq", "--no-dereference", self.tree, os.path.join(self.repository, str(number))]

    def restored_tree(self, target):
        return os.path.join(target, "tree")


def remove_older(folder):
    """What makes a whole copy every time keeps only the last: the repository may be in memory."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)


def first_line(command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip()


def available(mbu):
    """(class, binary) of what is here, in the order of the table."""
    wanted = [(Mbu, mbu), (Restic, os.environ.get("RESTIC18") or shutil.which("restic")),
              (Borg, os.environ.get("BORG14") or shutil.which("borg"))]
    found = [(kind, binary) for kind, binary in wanted if binary]
    if all(shutil.which(name) for name in ("tar", "zstd", "age", "age-keygen")):
        found.append((TarAge, "tar"))
    return found + [(Copy, "cp")]

"""Small file systems for tests, unmounted when the test ends; a test is skipped with the reason where none can be mounted."""

import os
import shutil
import subprocess


def _mount(test, command, point):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        test.skipTest(f"cannot mount: {done.stderr.strip()}")
    test.addCleanup(subprocess.run, ["umount", "-l", point], check=False, capture_output=True)
    return point


def tmpfs(test, size, name="tmpfs"):
    """A file system in memory of `size` (\"8m\")."""
    if os.geteuid() != 0:
        test.skipTest("needs root to mount")
    point = test.path(name)
    os.mkdir(point)
    return _mount(test, ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "mbu-test", point], point)


def bind_onto(test, what, point):
    """Another name for a directory or file; `point` must be there."""
    if os.geteuid() != 0:
        test.skipTest("needs root to mount")
    return _mount(test, ["mount", "--bind", what, point], point)


def ext4(test, mebibytes, *options, name="disk"):
    """An ext4 on a loop device, made with these further options of mkfs.ext4."""
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        test.skipTest("needs root and mkfs.ext4")
    image = test.path(name + ".img")
    with open(image, "wb") as file:
        file.truncate(mebibytes << 20)
    made = subprocess.run(["mkfs.ext4", "-q", "-m", "0", *options, image], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        test.skipTest(f"cannot make an ext4: {made.stderr.strip()}")
    point = test.path(name)
    os.mkdir(point)
    return _mount(test, ["mount", "-o", "loop", image, point], point)


def bind(test, directory, name="bound"):
    """Another name for a directory."""
    if os.geteuid() != 0:
        test.skipTest("needs root to mount")
    point = test.path(name)
    os.mkdir(point)
    return _mount(test, ["mount", "--bind", directory, point], point)

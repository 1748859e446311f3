"""How the benchmarks run programs: whole processes, timed, in directories of their own, from a warm page cache."""
import mmap
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import tools


def say(text):
    print(text, file=sys.stderr, flush=True)


def warm(*places):
    """Reads all there is, so that no program finds another one's cold disk."""
    for place in places:
        subprocess.run(["find", place, "-type", "f", "-exec", "cat", "{}", "+"], stdout=subprocess.DEVNULL, check=True)


def warm_memory(size):
    """Has the machine's memory at hand for as many bytes: what a virtual machine gave back to its host costs much at the first touch."""
    mmap.mmap(-1, max(size, 4096), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE).close()


class Failure(Exception):
    pass


def peak_of(process, peak):
    """Samples the anonymous memory of a process until it ends."""
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status") as status:
                for line in status:
                    if line.startswith("RssAnon:"):
                        peak[0] = max(peak[0], int(line.split()[1]) * 1024)
        except OSError:
            return
        time.sleep(0.002)


def execute(command, tool, output=None, sample=False):
    """Runs a command to its end; seconds, and its peak of anonymous memory when sampled."""
    if isinstance(command, str):
        command = ["bash", "-c", "set -eo pipefail; " + command]
    peak = [0]
    with open(output or os.devnull, "wb") as out, open(os.path.join(tool.place, "messages"), "wb") as messages:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=messages, env=tool.environment)
        if sample:
            sampler = threading.Thread(target=peak_of, args=(process, peak))
            sampler.start()
            sampler.join()
        status = process.wait()
        seconds = time.perf_counter() - start
    if status != 0:
        with open(os.path.join(tool.place, "messages"), errors="replace") as messages:
            raise Failure(f"{' '.join(command)}: exit {status}\n{messages.read()[-2000:]}")
    return seconds, peak[0]


class Place:
    """Directories of one execution of this program. What is done with is renamed away and removed at the end, since deleting keeps
    a file system busy long after it was asked to."""

    def __init__(self, parent):
        self.root = tempfile.mkdtemp(prefix="mbu-bench-", dir=parent)
        self.retired = 0

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def retire(self, path):
        if os.path.lexists(path):
            self.retired += 1
            os.makedirs(self.path("retired"), exist_ok=True)
            os.rename(path, self.path("retired", str(self.retired)))

    def remove_retired(self):
        shutil.rmtree(self.path("retired"), ignore_errors=True)

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)


def settle():
    """Lets the disk finish, and time pass, so that files are not as young as the backup that reads them."""
    os.sync()
    time.sleep(2)


def file_system(path):
    return tools.first_line(["stat", "-f", "-c", "%T", path])


def machine(options):
    model = "unknown processor"
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return (f"{model}, {len(os.sched_getaffinity(0))} processors, Linux {platform.release()}; trees on "
            f"{file_system(options.tree_dir)}, repositories on {file_system(options.repo_dir)}; scale {options.scale:g}, "
            f"seed {options.seed}, medians of {options.runs}")


def row(cells):
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def bytes_text(size):
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"

#!/usr/bin/python3
"""The layer rule: who may include whom, and which libraries. Read from the includes themselves, and from src/CMakeLists.txt.

Run as `/usr/bin/python3 tests/layers/test_layers.py -v`. Needs neither a build nor mbu.
"""

import os
import re
import shutil
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# A layer may include what is named here and whatever that may include. Everything may include mbu/types.
MAY_INCLUDE = {
    "base": [],
    "os": ["base"],
    "crypto": ["base"],
    "chunk": ["base"],
    "format": ["base"],
    "config": ["os"],
    "store": ["os", "crypto", "format"],
    "keys": ["os", "crypto", "format", "chunk"],  # chunk: a domain's secrets hold the gear seed
    "cache": ["os", "crypto", "format"],
    "repo": ["chunk", "store", "keys", "cache"],
    "tree": ["repo"],
    "source": ["os", "format"],
    "ingest": ["tree", "source"],
    "catalog": ["tree"],
}
BELOW_OPS = ["ingest", "catalog", "config"]


# The libraries of a layer: how an include of it begins, and its CMake target. No other layer includes them.
LIBRARIES = {
    "crypto": {"sodium.h": "PkgConfig::sodium", "openssl/": "OpenSSL::Crypto", "intel-ipsec-mb.h": "ipsec_mb", "blake3.h": "blake3"},
    "format": {"flatbuffers/": "mbu_schemas"},
    "keys": {"libgfshare.h": "PkgConfig::gfshare", "fido.h": "PkgConfig::fido2"},
    "config": {"toml++/": "PkgConfig::tomlplusplus"},
    "cache": {"sqlite3.h": "PkgConfig::sqlite3"},
    "catalog": {"sqlite3.h": "PkgConfig::sqlite3"},
    "repo": {"zstd.h": "PkgConfig::zstd"},
    "ops/browse": {"archive.h": "PkgConfig::archive", "archive_entry.h": "PkgConfig::archive"},
    "api": {"nlohmann/": "nlohmann_json::nlohmann_json"},
    "apps": {"CLI/": "", "fmt/": "", "nlohmann/": "", "qrencode.h": ""},
}

# Headers that only Linux has belong behind src/os; who may not wait for that is named.
LINUX_HEADERS = re.compile(r"linux/|sys/(xattr|acl|prctl|inotify|fanotify|epoll|eventfd|signalfd|timerfd|sendfile|syscall|vfs)\.h|acl/")
LINUX_ALLOWED = {"apps/mbu/harden.cpp": ["sys/prctl.h"]}  # no core dumps: the first thing the program does

PLATFORM_CONDITION = re.compile(
    r"^\s*#\s*(?:el)?if\w*\b.*\b(__linux__|__linux|linux|__gnu_linux__|__APPLE__|_WIN32|_WIN64|__FreeBSD__|__OpenBSD__|"
    r"__NetBSD__|__unix__|__ANDROID__|__MACH__)\b")
PLATFORM_FOLDERS = ("src/os/", "src/ops/watch/")

STANDARD = re.compile(r"^[a-z_0-9]+$")  # <vector>, not <unistd.h>
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def layer_of(path):
    """The layer that a file belongs to, or None: `src/ops/check/x.cpp` -> `ops/check`."""
    parts = path.split("/")
    if parts[0] == "src":
        return "/".join(parts[1:3]) if parts[1] == "ops" else parts[1]
    if parts[0] == "apps":
        return "apps"
    return "types" if path.startswith("include/mbu/types/") else "public"


def reach(layer):
    """All layers that `layer` may include, itself among them; none for a layer that the table does not know. (api may include all.)"""
    if layer.startswith("ops/"):
        direct = BELOW_OPS
    elif layer in MAY_INCLUDE:
        direct = MAY_INCLUDE[layer]
    else:
        return set()
    result = {layer}
    for below in direct:
        result |= reach(below)
    return result


def allowed(path, kind, name):
    """Whether the file at `path` may include `name`; `kind` is the character that opens it."""
    layer = layer_of(path)
    if kind == "<":
        if LINUX_HEADERS.match(name) and not path.startswith(PLATFORM_FOLDERS):
            return name in LINUX_ALLOWED.get(path, [])
        if STANDARD.match(name):
            return True
        if layer in ("types", "public"):
            return False
        if any(name.startswith(prefix) for prefix in LIBRARIES.get(layer, {})):
            return True
        return not any(name.startswith(prefix) for prefixes in LIBRARIES.values() for prefix in prefixes) \
            and name.endswith(".h")  # the system's
    if name.startswith("mbu/"):
        return layer in ("apps", "api", "public") or name.startswith("mbu/types/") or name == own_public_header(path)
    if layer in ("types", "public"):
        return False
    if layer == "apps":
        return "/" not in name  # its own
    return layer == "api" or layer_of("src/" + name) in reach(layer)


def own_public_header(path):
    """src/api/repository.cpp implements mbu/repository.hpp; no other layer has a public header."""
    return "mbu/" + os.path.basename(path).rsplit(".", 1)[0] + ".hpp" if path.startswith("src/api/") else None


def sources(root):
    for top in ("src", "include", "apps"):
        for folder, _, files in os.walk(os.path.join(root, top)):
            for file in sorted(files):
                if file.endswith((".cpp", ".hpp", ".h")):
                    yield os.path.relpath(os.path.join(folder, file), root)


def violations(root):
    found = []
    for path in sources(root):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = file.read()
        for kind, name in INCLUDE.findall(text):
            if not allowed(path, kind, name):
                found.append(f"{path} may not include {name}")
        if not path.startswith(PLATFORM_FOLDERS):
            found += [f"{path}:{number}: a platform's condition outside src/os"
                      for number, line in enumerate(text.split("\n"), 1) if PLATFORM_CONDITION.match(line)]
        if layer_of(path) not in MAY_INCLUDE and not layer_of(path).startswith("ops/") \
                and layer_of(path) not in ("api", "apps", "types", "public"):
            found.append(f"{path}: its layer is not in the table")
    return found


def cmake_layers(root):
    """NAME -> (FOLDER, DEPENDS, LIBRARIES) of every mbu_layer() in src/CMakeLists.txt."""
    with open(os.path.join(root, "src/CMakeLists.txt"), encoding="utf-8") as file:
        text = re.sub(r"#.*", "", file.read())
    layers = {}
    for call in re.findall(r"mbu_layer\(([^)]*)\)", text):
        values, key = {}, None
        for word in call.split():
            if word in ("NAME", "FOLDER", "DEPENDS", "LIBRARIES", "SOURCES"):
                key = word
            else:
                values.setdefault(key, []).append(word)
        layers[values["NAME"][0]] = (values["FOLDER"][0], values.get("DEPENDS", []), values.get("LIBRARIES", []))
    return layers


def cmake_violations(root):
    layers, found = cmake_layers(root), []
    for name, (folder, depends, libraries) in layers.items():
        if name != folder.replace("/", "_"):
            found.append(f"{name} has the folder {folder}")
        below = {layers[other][0] if other in layers else other for other in depends}
        if folder != "api" and below - reach(folder):
            found.append(f"{name} may not depend on {', '.join(sorted(below - reach(folder)))}")
        foreign = set(libraries) - set(LIBRARIES.get(folder, {}).values())
        if foreign:
            found.append(f"{name} may not link {', '.join(sorted(foreign))}")
    folders = {layer_of(path) for path in sources(root) if path.startswith("src/")}
    found += [f"{folder} is no layer of src/CMakeLists.txt" for folder in folders - {l[0] for l in layers.values()}]
    return found


class Layers(unittest.TestCase):
    def test_includes_follow_the_rule(self):
        self.assertEqual(violations(ROOT), [])

    def test_cmake_links_what_the_rule_allows(self):
        self.assertEqual(cmake_violations(ROOT), [])

    def test_the_table_has_no_cycle(self):
        for layer in MAY_INCLUDE:
            for below in MAY_INCLUDE[layer]:
                self.assertNotIn(layer, reach(below), f"{layer} and {below} may include each other")


class TheCheckCanFail(unittest.TestCase):
    """Each breach is put into a copy of the sources and must be the one thing that is found."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.copy = os.path.join(cls.scratch.name, "copy")
        for top in ("src", "include", "apps"):
            shutil.copytree(os.path.join(ROOT, top), os.path.join(cls.copy, top))
        cls.before = violations(cls.copy)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def found_with(self, path, line):
        full = os.path.join(self.copy, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write("#pragma once\n" + line + "\n")
        try:
            return [found for found in violations(self.copy) if found not in self.before]
        finally:
            os.remove(full)

    def test_breaches_are_found(self):
        for path, line in (
                ("src/base/probe.hpp", '#include "os/file.hpp"'),
                ("src/chunk/probe.hpp", '#include "crypto/hash.hpp"'),
                ("src/config/probe.hpp", '#include "store/store.hpp"'),
                ("src/source/probe.hpp", '#include "repo/vault.hpp"'),
                ("src/ops/check/probe.hpp", '#include "ops/browse/browse.hpp"'),
                ("src/ops/check/probe.hpp", '#include "api/cat.hpp"'),
                ("src/tree/probe.hpp", '#include "ingest/packager.hpp"'),
                ("src/tree/probe.hpp", '#include "mbu/repository.hpp"'),
                ("src/repo/probe.hpp", "#include <sodium.h>"),
                ("src/keys/probe.hpp", "#include <openssl/evp.h>"),
                ("src/store/probe.hpp", "#include <blake3.h>"),
                ("src/tree/probe.hpp", "#include <zstd.h>"),
                ("src/source/probe.hpp", "#include <sys/xattr.h>"),
                ("src/source/probe.hpp", "# include  <sys/inotify.h>"),
                ("src/store/probe.hpp", "#ifdef __linux__\n#endif"),
                ("src/store/probe.hpp", "#if 1\n#elif defined(__APPLE__)\n#endif"),
                ("src/unheard/probe.hpp", ""),
                ("include/mbu/types/probe.hpp", '#include "mbu/repository.hpp"'),
                ("include/mbu/types/probe.hpp", "#include <unistd.h>"),
                ("include/mbu/types/probe.hpp", '#include "base/bytes.hpp"'),
                ("include/mbu/probe.hpp", '#include "repo/vault.hpp"'),
                ("apps/mbu/probe.hpp", '#include "repo/vault.hpp"'),
                ("apps/mbu/probe.hpp", "#include <sodium.h>")):
            with self.subTest(path=path, line=line):
                self.assertEqual(len(self.found_with(path, line)), 1)

    def test_what_is_allowed_is_not_found(self):
        for path, line in (
                ("src/repo/probe.hpp", '#include "base/bytes.hpp"\n#include <zstd.h>\n#include "mbu/types/error.hpp"'),
                ("src/ops/check/probe.hpp", '#include "source/source.hpp"\n#include "ops/check/check.hpp"'),
                ("src/os/probe.hpp", "#include <linux/stat.h>\n#ifdef __linux__\n#endif"),
                ("src/api/probe.hpp", '#include "ops/check/check.hpp"\n#include "mbu/repository.hpp"'),
                ("include/mbu/probe.hpp", '#include "mbu/types/error.hpp"\n#include <string>'),
                ("apps/mbu/probe.hpp", '#include "mbu/repository.hpp"\n#include <fmt/format.h>\n#include <unistd.h>')):
            with self.subTest(path=path, line=line):
                self.assertEqual(self.found_with(path, line), [])

    def test_a_wrong_link_is_found(self):
        target = os.path.join(self.copy, "src/CMakeLists.txt")
        with open(target, encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(cmake_violations(self.copy), cmake_violations(ROOT))
        for line, breach in (("mbu_layer(NAME base FOLDER base DEPENDS os)", "base may not depend on os"),
                             ("mbu_layer(NAME base FOLDER base LIBRARIES blake3)", "base may not link blake3"),
                             ("mbu_layer(NAME ops_check FOLDER ops/check DEPENDS ops_browse)",
                              "ops_check may not depend on ops/browse")):
            with self.subTest(line=line):
                try:
                    with open(target, "w", encoding="utf-8") as file:
                        file.write(text + line + "\n")
                    self.assertIn(breach, cmake_violations(self.copy))
                finally:
                    with open(target, "w", encoding="utf-8") as file:
                        file.write(text)


if __name__ == "__main__":
    unittest.main()

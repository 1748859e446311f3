#!/usr/bin/python3
"""The launchers ./mbu and ./test, in a copy of their scripts where cmake, ninja, apt-get, dpkg-query and sudo are stand-ins
that note how they were called. Needs no build of mbu.

Run as `/usr/bin/python3 tests/cli/test_launcher.py -v`.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]

# What the scripts may use besides the stand-ins: the tools of a minimal Debian.
SYSTEM_TOOLS = ("sh awk cat chmod date env find flock grep id mkdir mv nproc readlink rm setarch sleep sort stat tail touch true "
                "wc xargs").split()

STAND_INS = {
    "cmake": """
        echo "cmake $*" >>"$CALLS"
        [ -z "${FAIL_CMAKE-}" ] || { echo "CMake Error: the reason"; exit 1; }
        [ -z "${MBU_PASSWORD+set}" ] || echo "the password was passed on" >>"$CALLS"
        read -r line && echo "cmake read the standard input" >>"$CALLS"
        echo "-- on standard output"
        mkdir -p build/release
        echo "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" >build/release/CMakeCache.txt""",
    "ninja": """
        echo "ninja $*" >>"$CALLS"
        sleep "${NINJA_TAKES:-0}"
        echo "[1/2] Building one"
        [ -z "${FAIL_NINJA-}" ] || { echo "FAILED: two.cpp"; echo "error: the reason"; exit 1; }
        echo "[2/2] Linking mbu"
        cat >"$2/mbu" <<'END'
#!/bin/sh
for argument; do printf '<%s>' "$argument"; done
[ ! -e /proc/self/fd/9 ] || cat <&9
cat
END
        chmod +x "$2/mbu" """,
    "apt-get": """
        echo "apt-get $* ($DEBIAN_FRONTEND)" >>"$CALLS"
        echo "apt-get on standard output"
        [ "$4" != install ] || echo "$*" | grep -o '[a-z0-9+-]*$' >/dev/null && echo all >"$INSTALLED" """,
    "dpkg-query": """
        shift 3
        [ "$(cat "$INSTALLED")" = none ] && exit 1
        for package; do printf 'installed:%s ' "$package"; done""",
    "sudo": """
        echo "sudo" >>"$CALLS"
        exec "$@" """,
}


class Launcher(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = scratch.name
        self.root = os.path.join(self.scratch, "check out")
        self.tools = os.path.join(self.scratch, "tools")
        for folder in ("src/base", "include", "apps", "cmake", "tests"):
            os.makedirs(os.path.join(self.root, folder))
        for file in ("mbu", "test", "cmake/launch.sh", "tests/run.sh"):
            shutil.copy(os.path.join(ROOT, file), os.path.join(self.root, file))
        for file in ("CMakeLists.txt", "CMakePresets.json", "src/base/a.cpp", "src/base/b.cpp"):
            self.write(os.path.join(self.root, file), "")
        os.makedirs(self.tools)
        for tool in SYSTEM_TOOLS:
            os.symlink(shutil.which(tool), os.path.join(self.tools, tool))
        for tool, script in STAND_INS.items():
            self.write(os.path.join(self.tools, tool), "#!/bin/sh\n" + script + "\n")
            os.chmod(os.path.join(self.tools, tool), 0o755)
        self.calls_file = os.path.join(self.scratch, "calls")
        self.installed_file = os.path.join(self.scratch, "installed")
        self.calls_seen = 0
        self.write(self.calls_file, "")
        self.write(self.installed_file, "all")
        # What a run may write to must be anyone's, since some run as nobody.
        os.chmod(self.scratch, 0o755)
        for file in (self.calls_file, self.installed_file):
            os.chmod(file, 0o666)

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def environment(self, **more):
        return {"PATH": self.tools, "CALLS": self.calls_file, "INSTALLED": self.installed_file, **more}

    def run_mbu(self, *arguments, prefix=(), stdin="", script=None, cwd="/", pass_fds=(), **more):
        return subprocess.run([*prefix, script or os.path.join(self.root, "mbu"), *arguments], input=stdin, text=True, cwd=cwd,
                              capture_output=True, env=self.environment(**more), timeout=60, pass_fds=pass_fds)

    def calls(self):
        """What was called since the last look."""
        with open(self.calls_file, encoding="utf-8") as file:
            lines = file.read().splitlines()
        new, self.calls_seen = lines[self.calls_seen:], len(lines)
        return new

    def build(self):
        result = self.run_mbu()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.calls()
        time.sleep(0.02)  # what is edited next is newer than the stamp, even where the clock of files is coarse

    def needs_root(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to run as another user")

    def as_nobody(self, own_checkout=True):
        """A prefix that runs as nobody, who owns the checkout unless told otherwise."""
        if os.geteuid() != 0:
            return ()
        if own_checkout:
            for folder, _, files in os.walk(self.root):
                for name in [folder, *(os.path.join(folder, file) for file in files)]:
                    os.chown(name, NOBODY, NOBODY)
        return (shutil.which("setpriv"), *AS_NOBODY[1:])

    # The first build.

    def test_the_first_run_builds_and_becomes_the_program(self):
        result = self.run_mbu("a b", "*", "", "-p", "it's \\secret\n", stdin="data", MBU_PASSWORD="hidden")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout, "<a b><*><><-p><it's \\secret\n>data")
        self.assertEqual([call.split()[0] for call in self.calls()], ["cmake", "ninja"])
        self.assertRegex(result.stderr, r"first build, about [0-9]+ minutes \[2/2\]")
        self.assertNotIn("secret", result.stderr)

    def test_no_password_reaches_a_log(self):
        self.run_mbu("-p", "sesame", MBU_PASSWORD="open")
        for folder, _, files in os.walk(os.path.join(self.root, "build")):
            for file in files:
                with open(os.path.join(folder, file), encoding="utf-8") as log:
                    self.assertNotRegex(log.read(), "sesame|open")

    def test_descriptors_of_the_caller_arrive(self):
        read, write = os.pipe()
        os.write(write, b"from nine")
        os.close(write)
        for _ in range(2):
            result = subprocess.run(["sh", "-c", f'exec "$0" 9<&{read}', os.path.join(self.root, "mbu")], pass_fds=(read,),
                                    stdin=subprocess.DEVNULL, capture_output=True, text=True, env=self.environment())
            self.assertEqual(result.returncode, 0, result.stderr)
            if result.stdout:
                break
        os.close(read)
        self.assertEqual(result.stdout, "from nine")

    def test_it_runs_through_a_link_and_keeps_the_folder(self):
        link = os.path.join(self.scratch, "link")
        os.symlink(os.path.join(self.root, "mbu"), link)
        self.assertEqual(self.run_mbu("x", script=link, cwd=self.scratch).stdout, "<x>")
        self.assertEqual(self.run_mbu("x", script="./mbu", cwd=self.root).stdout, "<x>")
        self.assertEqual(self.run_mbu("x", script="sh", prefix=(), cwd=self.root).stdout, "")  # sh x: no such script
        self.assertEqual(self.run_mbu("mbu", "x", script=os.path.join(self.tools, "sh"), cwd=self.root).stdout, "<x>")

    def test_a_failed_build_shows_why(self):
        for tool in ("CMAKE", "NINJA"):
            with self.subTest(tool):
                result = self.run_mbu("x", **{"FAIL_" + tool: "1"})
                self.assertEqual((result.returncode, result.stdout), (1, ""))
                self.assertIn("the reason", result.stderr)
        self.assertEqual(self.run_mbu("x").stdout, "<x>")

    def test_a_copy_of_a_built_checkout_configures_anew(self):
        self.build()
        copy = os.path.join(self.scratch, "copy")
        shutil.copytree(self.root, copy)
        self.write(os.path.join(copy, "build/release/old"), "")
        self.write(os.path.join(copy, "src/base/c.cpp"), "")
        self.assertEqual(self.run_mbu("x", script=os.path.join(copy, "mbu")).stdout, "<x>")
        self.assertFalse(os.path.exists(os.path.join(copy, "build/release/old")))

    # Later runs.

    def test_nothing_changed_runs_nothing(self):
        self.build()
        result = self.run_mbu("x")
        self.assertEqual((result.stdout, result.stderr), ("<x>", ""))
        self.assertEqual(self.calls(), [])

    def test_nothing_changed_takes_no_time(self):
        self.build()
        shutil.copytree(os.path.join(ROOT, "src"), os.path.join(self.root, "src"), dirs_exist_ok=True)
        self.build()
        program = os.path.join(self.root, "build/release/mbu")
        os.remove(program)
        shutil.copy("/bin/true", program)
        # Ten milliseconds are promised. Counted is the processor's time, which other processes do not take; and where
        # starting a program alone takes long, so may this.
        launcher, plain = [], []
        for _ in range(30):
            for times, command in ((plain, program), (launcher, os.path.join(self.root, "mbu"))):
                _, status, used = os.wait4(os.posix_spawn(command, [command], self.environment()), 0)
                self.assertEqual(status, 0)
                times.append(used.ru_utime + used.ru_stime)
        self.assertEqual(self.calls(), [])
        self.assertLess(min(launcher) - min(plain), max(0.01, 6 * min(plain)))

    def test_what_changed_is_built_once(self):
        def edit():
            self.write(os.path.join(self.root, "src/base/a.cpp"), "// edited")

        for change in (edit, lambda: os.remove(os.path.join(self.root, "src/base/b.cpp")),
                       lambda: self.write(os.path.join(self.root, "apps/new.cpp"), ""),
                       lambda: os.utime(os.path.join(self.root, "CMakeLists.txt")),
                       lambda: os.remove(os.path.join(self.root, "build/release/mbu"))):
            with self.subTest(change):
                self.build()
                change()
                result = self.run_mbu("x")
                self.assertEqual(result.stdout, "<x>")
                self.assertNotIn("first build", result.stderr)
                self.assertEqual([call.split()[0] for call in self.calls()], ["cmake", "ninja"])
                self.run_mbu("x")
                self.assertEqual(self.calls(), [])

    def test_what_is_edited_during_a_build_is_built_next(self):
        run = subprocess.Popen([os.path.join(self.root, "mbu")], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=self.environment(NINJA_TAKES="1"))
        while not any(call.startswith("ninja") for call in self.calls()):
            time.sleep(0.01)
        self.write(os.path.join(self.root, "src/base/a.cpp"), "// edited")
        self.assertEqual(run.wait(timeout=30), 0)
        self.run_mbu()
        self.assertEqual([call.split()[0] for call in self.calls()], ["cmake", "ninja"])

    def test_two_at_once_build_once(self):
        runs = [subprocess.Popen([os.path.join(self.root, "mbu"), "x"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, env=self.environment(NINJA_TAKES="1")) for _ in range(2)]
        results = [run.communicate(timeout=60) for run in runs]
        self.assertEqual([out for out, _ in results], ["<x>", "<x>"])
        self.assertEqual(sum("waiting for another build" in error for _, error in results), 1)
        self.assertEqual([call.split()[0] for call in self.calls()], ["cmake", "ninja"])

    def test_an_interrupted_build_is_no_build(self):
        run = subprocess.Popen([os.path.join(self.root, "mbu"), "x"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True, env=self.environment(NINJA_TAKES="30"),
                               start_new_session=True)
        while not any(call.startswith("ninja") for call in self.calls()):
            time.sleep(0.01)
        while run.poll() is None:  # a shell that is just starting a child may miss one
            os.killpg(run.pid, signal.SIGINT)
            time.sleep(0.2)
        self.assertEqual(run.communicate(timeout=30)[0], "")
        self.assertNotEqual(run.returncode, 0)
        self.assertEqual(self.run_mbu("x").stdout, "<x>")

    # Installing.

    def test_root_installs_without_sudo(self):
        self.needs_root()
        self.write(self.installed_file, "none")
        result = self.run_mbu("x")
        self.assertEqual(result.stdout, "<x>")
        calls = self.calls()
        self.assertEqual([call.split()[0] for call in calls], ["apt-get", "apt-get", "cmake", "ninja"])
        self.assertRegex(calls[0], r" update \(noninteractive\)$")
        self.assertRegex(calls[1], r" install -y --no-install-recommends g\+\+ cmake .* \(noninteractive\)$")
        self.assertRegex(result.stderr, r"installing with apt-get what building mbu needs: g\+\+ cmake ")

    def test_others_install_through_sudo(self):
        self.write(self.installed_file, "none")
        result = self.run_mbu("x", prefix=self.as_nobody())
        self.assertEqual(result.stdout, "<x>", result.stderr)
        self.assertEqual([call.split()[0] for call in self.calls()], ["sudo", "apt-get", "sudo", "apt-get", "cmake", "ninja"])
        self.assertIn("installing with sudo apt-get what building mbu needs: g++ cmake ", result.stderr)

    def test_without_sudo_it_says_the_command(self):
        os.remove(os.path.join(self.tools, "sudo"))
        self.write(self.installed_file, "none")
        result = self.run_mbu("x", prefix=self.as_nobody())
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertRegex(result.stderr, r"\n  apt-get update && apt-get install -y --no-install-recommends g\+\+ cmake .*\n$")
        self.assertEqual(self.calls(), [])

    # Places that cannot be built in.

    def test_a_foreign_checkout_is_said_so(self):
        self.needs_root()
        result = self.run_mbu("x", prefix=self.as_nobody(own_checkout=False))
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertRegex(result.stderr, r"^mbu: cannot make .*/build/release: build as the owner .*\n$")
        self.build()
        self.assertEqual(self.run_mbu("x", prefix=self.as_nobody(own_checkout=False)).stdout, "<x>")
        os.utime(os.path.join(self.root, "src/base/a.cpp"))
        result = self.run_mbu("x", prefix=self.as_nobody(own_checkout=False))
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertRegex(result.stderr, r"^mbu: cannot write to .*/build \(owner: root\): .*\n$")

    # ./test

    def test_the_suite_runs_and_failures_count(self):
        self.write(os.path.join(self.tools, "ctest"), '#!/bin/sh\necho "ctest $* long=$MBU_LONG" >>"$CALLS"\nexit ${FAIL_CTEST:-0}\n')
        os.chmod(os.path.join(self.tools, "ctest"), 0o755)
        script = os.path.join(self.root, "test")
        result = self.run_mbu("-R", "one", script=script)
        self.assertEqual(result.returncode, 0, result.stderr)
        ctest = [call for call in self.calls() if call.startswith("ctest")]
        self.assertEqual(len(ctest), 1)
        self.assertRegex(ctest[0], "-j2 --output-on-failure --no-tests=error -R one long=$")
        self.assertEqual(self.run_mbu(script=script, FAIL_CTEST="8").returncode, 1)
        self.assertEqual(self.run_mbu(script=script, FAIL_NINJA="1").returncode, 1)
        self.calls()
        result = self.run_mbu("--all", script=script)
        calls = self.calls()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([call.split("/build/")[1].split()[0] for call in calls if call.startswith("ctest")],
                         ["test", "asan", "tsan"])
        self.assertRegex(calls[-1], "^ctest .* -R ")
        self.assertIn("left out: fuzz(no-targets)", result.stdout)
        result = self.run_mbu("--all", script=script, MBU_TEST_BUDGET_SECONDS="60")
        self.assertIn("left out: asan tsan fuzz", result.stdout)

    def test_what_was_skipped_is_listed_with_its_reason(self):
        log = ("first (a.B) ... skipped 'no fuse'\nsecond (a.B)\nA docstring. ... skipped 'no root'\n"
               "/src/x_test.cpp:3: Skipped\nneeds two disks\n\n[  SKIPPED ] Disk.Two (0 ms)\n[  SKIPPED ] 1 test, listed below:\n")
        self.write(os.path.join(self.tools, "ctest"), f"""#!/bin/sh
mkdir -p "$2/Testing/Temporary"
cat >"$2/Testing/Temporary/LastTest.log" <<'END'
{log}
END
""")
        os.chmod(os.path.join(self.tools, "ctest"), 0o755)
        result = self.run_mbu(script=os.path.join(self.root, "test"))
        self.assertEqual(result.stdout.split("\n")[1:-1], [
            "skipped (test): Disk.Two: needs two disks", "skipped (test): first (a.B): 'no fuse'",
            "skipped (test): second (a.B): A docstring.: 'no root'"])


if __name__ == "__main__":
    unittest.main()

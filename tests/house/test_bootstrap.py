"""What `python3 cli.py demo` does on a machine that has nothing but Python."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
from app.bootstrap import ensure
ensure(sys.argv)
print("ran", *sys.argv[1:], "in", sys.prefix)
"""
UV = """#!/bin/sh
echo "uv $*" >> "{log}"
if [ "$1" = venv ]; then
    for folder; do :; done
    mkdir -p "$folder/bin" && ln -sf "{python}" "$folder/bin/python"
    echo "home = {home}" > "$folder/pyvenv.cfg"
elif [ -e "{answer}" ]; then
    cat "{answer}" >&2
    exit 1
fi
"""
PIP = """
import pathlib, sys
if sys.prefix.endswith(".venv"):
    sys.exit("No module named pip")
with open({log!r}, "a") as log:
    print("pip", *sys.argv[1:], file=log)
answer = pathlib.Path({answer!r})
if "install" in sys.argv and answer.exists():
    sys.exit(answer.read_text())
"""
BACKEND = """
import zipfile
NOTE = "Metadata-Version: 2.1\\nName: tidings\\nVersion: 0.1.0\\nProvides-Extra: demo\\n"
def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(folder + "/tidings-0.1.0-py3-none-any.whl", "w") as wheel:
        info = "tidings-0.1.0.dist-info/"
        wheel.writestr(info + "METADATA", NOTE)
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return "tidings-0.1.0-py3-none-any.whl"
"""
BASE_PYTHON = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"


class Machine:
    """A copy of the project in a folder with blanks in its name, with a PATH of its own and no network."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "the project"
        self.bin = folder / "bin"
        self.modules = folder / "modules"
        self.log = folder / "log"
        self.answer = folder / "answer"
        for path in (self.root / "app", self.bin, self.modules):
            path.mkdir(parents=True)
        for name in ("app/__init__.py", "app/bootstrap.py", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, self.root / name)
        (self.root / "cli.py").write_text(SCRIPT)

    @property
    def python(self) -> Path:
        return self.root / ".venv" / "bin" / "python"

    def with_uv(self) -> "Machine":
        uv = self.bin / "uv"
        uv.write_text(
            UV.format(log=self.log, answer=self.answer, python=BASE_PYTHON, home=BASE_PYTHON.parent)
        )
        uv.chmod(0o755)
        return self

    def with_pip_only(self) -> "Machine":
        """As Debian without python3-venv: pip is there, ensurepip is not."""
        (self.modules / "ensurepip.py").write_text("raise ImportError('left out')")
        (self.modules / "pip").mkdir()
        (self.modules / "pip" / "__init__.py").touch()
        (self.modules / "pip" / "__main__.py").write_text(
            PIP.format(log=str(self.log), answer=str(self.answer))
        )
        return self

    def pretend(self, code: str) -> None:
        (self.modules / "sitecustomize.py").write_text(code)

    def depends_on_nothing(self) -> None:
        """A project that pip can install without reaching any index."""
        (self.root / "backend.py").write_text(BACKEND)
        (self.root / "pyproject.toml").write_text(
            "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        )

    def installing_fails_with(self, words: str) -> None:
        self.answer.write_text(words)

    def run(
        self, *arguments: str, python: Path = BASE_PYTHON, **more: str
    ) -> subprocess.CompletedProcess[str]:
        env = {"PATH": f"{self.bin}:/bin:/usr/bin", "PYTHONPATH": str(self.modules), "HOME": str(self.root)}
        env |= more
        if not (self.bin / "uv").exists():
            env["PATH"] = f"{self.bin}:{self._without_uv()}"
        command = [str(python), str(self.root / "cli.py"), *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)

    def _without_uv(self) -> str:
        folders = ["/bin", "/usr/bin"]
        return ":".join(folder for folder in folders if not Path(folder, "uv").exists())

    def installs(self) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if " install " in line]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_source_is_readable_by_old_pythons():
    source = (ROOT / "app" / "bootstrap.py").read_text()

    ast.parse(source, feature_version=(3, 6))


def test_only_the_standard_library_is_imported():
    tree = ast.parse((ROOT / "app" / "bootstrap.py").read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}

    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


def test_the_first_demo_makes_the_environment_and_goes_on_in_it(machine):
    done = machine.with_uv().run("demo", "--port", "9000")

    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["Setting", "1/3", "2/3", "3/3", "ran"]
    assert done.stdout.splitlines()[-1] == f"ran demo --port 9000 in {machine.root / '.venv'}"
    assert machine.installs()[0].endswith(f"-c {machine.root}/constraints.txt -e {machine.root}[demo]")


def test_the_second_demo_installs_nothing_and_says_nothing(machine):
    machine.with_uv().run("demo")

    done = machine.run("demo")

    assert done.stdout == f"ran demo in {machine.root / '.venv'}\n"
    assert len(machine.installs()) == 1


def test_the_tests_bring_all_that_the_demo_needs(machine):
    machine.with_uv().run("test")

    machine.run("demo")
    machine.run("up")

    assert len(machine.installs()) == 1
    assert machine.installs()[0].endswith("[demo,test]")


def test_after_the_demo_the_tests_get_what_they_need_in_addition(machine):
    machine.with_uv().run("demo")

    machine.run("test")

    assert [line.rpartition("[")[2] for line in machine.installs()] == ["demo]", "demo,test]"]


def test_a_new_lock_is_installed(machine):
    machine.with_uv().run("demo")
    with (machine.root / "constraints.txt").open("a") as lock:
        lock.write("another==1.0\n")

    machine.run("demo")

    assert len(machine.installs()) == 2


def test_an_environment_whose_python_does_not_run_is_made_again(machine):
    machine.with_uv().run("demo")
    machine.python.unlink()
    machine.python.symlink_to("/nowhere/python3")

    done = machine.run("demo")

    assert done.stdout.endswith(f"ran demo in {machine.root / '.venv'}\n")
    assert "1/3 environment" in done.stdout


def test_inside_the_environment_nothing_is_started_twice(machine):
    machine.with_uv().run("demo")

    done = machine.run("demo", python=machine.python)

    assert done.stdout == f"ran demo in {machine.root / '.venv'}\n"


def test_other_commands_run_in_the_environment_that_is_there(machine):
    machine.with_uv().run("demo")

    done = machine.run("doctor", "--json")

    assert done.stdout == f"ran doctor --json in {machine.root / '.venv'}\n"


@pytest.mark.parametrize("arguments", [(), ("doctor",), ("--help",)])
def test_other_commands_never_install_but_say_what_does(machine, arguments):
    done = machine.with_uv().run(*arguments)

    assert done.returncode == 1
    assert done.stderr == (
        "Tidings is not set up yet here. This does it, and tries it out: python3 cli.py demo\n"
    )
    assert not machine.log.exists()


def test_without_uv_and_ensurepip_the_pip_of_this_python_installs(machine):
    done = machine.with_pip_only().run("demo")

    assert done.returncode == 0, done.stderr
    assert machine.installs()[-1].startswith(f"pip --python {machine.python} install ")


def test_without_any_installer_the_package_to_install_is_named(machine):
    machine.with_pip_only()
    (machine.modules / "pip" / "__main__.py").write_text("raise SystemExit('No module named pip')")

    done = machine.run("demo")

    assert done.returncode == 1
    assert "has no pip to install packages with" in done.stderr
    assert "sudo apt install python3-venv" in done.stderr


def test_when_uv_fails_pip_is_tried(machine):
    machine.with_uv().with_pip_only()
    (machine.bin / "uv").write_text(
        (machine.bin / "uv").read_text().replace("elif [ -e", "else exit 1; fi; if [ -e")
    )

    done = machine.run("demo")

    assert done.returncode == 0, done.stderr
    assert "could not do it; trying pip" in done.stdout


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        (
            "NewConnectionError(': Failed: [Errno -3] Temporary failure in name resolution')",
            "cannot be reached",
        ),
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: [Errno 13] Permission denied: '/x'", "may not be written by this user"),
        ("ERROR: something nobody has seen before", "see below"),
    ],
)
def test_a_failed_install_says_why_and_how_to_repeat_it(machine, words, meaning):
    machine.with_pip_only().installing_fails_with("\n".join(["an early line", *["noise"] * 25, words]))

    done = machine.run("demo")

    first, *_, last = done.stderr.splitlines()
    assert done.returncode == 1
    assert meaning in first
    assert words in done.stderr
    assert "an early line" not in done.stderr
    assert last.startswith("To see it again, run: ")
    assert last.endswith(f"-e '{machine.root}[demo]'")


def test_a_failed_install_is_tried_again(machine):
    machine.with_pip_only().installing_fails_with("no")
    machine.run("demo")
    machine.answer.unlink()

    done = machine.run("demo")

    assert done.returncode == 0, done.stderr
    assert "1/3 environment" not in done.stdout


def test_an_old_python_names_the_newer_one_on_path(machine):
    machine.pretend("import sys; sys.version_info = (3, 9, 2, 'final', 0)")
    newer = machine.bin / "python3.12"
    newer.write_text("#!/bin/sh\n")
    newer.chmod(0o755)

    done = machine.run("demo", "--smoke")

    assert done.returncode == 1
    assert "Tidings needs Python 3.11 or newer;" in done.stderr
    assert done.stderr.endswith("is 3.9.2. Run: python3.12 cli.py demo --smoke\n")


def test_a_full_disk_is_noticed_before_the_download(machine):
    machine.with_uv().pretend(
        "import shutil, collections\n"
        "shutil.disk_usage = lambda path: collections.namedtuple('Usage', 'free')(5 << 20)\n"
    )

    done = machine.run("demo")

    assert done.returncode == 1
    assert "The disk is full: " in done.stderr
    assert "has 5 MB left and the packages need 400." in done.stderr
    assert not machine.log.exists()


def test_a_folder_that_may_not_be_written_is_named(machine):
    machine.with_uv().pretend("import os; os.access = lambda path, mode: False")

    done = machine.run("demo")

    assert done.returncode == 1
    assert f"{machine.root} may not be written by this user" in done.stderr


def test_an_old_python_goes_on_in_an_environment_made_before(machine):
    machine.with_uv().run("demo")
    machine.pretend("import sys; sys.version_info = (3, 9, 2, 'final', 0)")

    done = machine.run("doctor")

    assert done.stdout.startswith("ran doctor")


@pytest.mark.slow
def test_a_real_venv_and_its_own_pip_do_it_too(machine):
    machine.depends_on_nothing()

    done = machine.run("demo")

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"ran demo in {machine.root / '.venv'}\n")


def test_bytecode_that_may_not_lie_beside_the_sources_goes_into_the_environment(machine: Machine) -> None:
    machine.with_uv()

    machine.run("demo", PYTHONDONTWRITEBYTECODE="1")

    assert list((machine.root / ".venv" / "pycache").rglob("bootstrap.*.pyc"))
    assert not (machine.root / "app" / "__pycache__").exists()

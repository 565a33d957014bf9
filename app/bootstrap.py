"""Makes the project's own environment, `.venv`, from the lock, and runs the command again inside it.

Standard library only. The syntax stays readable by Python 3.6, so that an old one can say what is missing instead
of showing a traceback. `cli.py` calls `ensure(sys.argv)` before it imports anything else.
"""

import errno
import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NEEDED = (3, 11)
NEWEST_KNOWN = 14
"""Minor version up to which every package of the lock has a wheel."""

DISK_NEEDED = 400 * 1024 * 1024
"""Bytes; measured: 330 MB with bytecode."""

EXTRAS = {"demo": "demo", "up": "demo", "test": "demo,test"}
"""Commands that may make the environment, and the extras of pyproject.toml that they need."""

_LAST_LINES = 20

# What pip and uv say, in their words, and what it means. The first that fits is shown.
_OFFLINE_SIGNS = (
    "NewConnectionError",
    "name resolution",
    "Network is unreachable",
    "Connection refused",
    "ProxyError",
    "ConnectTimeout",
    "Read timed out",
    "dns error",
    "error sending request",
    "Failed to connect",
)
_MEANINGS = [
    (("No space left on device", "os error 28"), "the disk is full"),
    (("Permission denied", "os error 13"), "a file or folder may not be written by this user"),
    (_OFFLINE_SIGNS, "the package index cannot be reached; check the network, the proxy or PIP_INDEX_URL"),
]


class BootstrapError(Exception):
    """The environment cannot be made; the message says why and what to do."""


def ensure(argv: "list[str]") -> None:
    """Return when this process runs in the project's environment; otherwise go on in it, or end with one line.

    `argv` is `sys.argv`. `demo`, `up` and `test` make the environment when it is missing or older than the lock;
    every other command only uses it.
    """
    home = Environment(Path(__file__).resolve().parent.parent)
    command = next((word for word in argv[1:] if not word.startswith("-")), "")
    try:
        if command in EXTRAS:
            home.make(command, argv)
        if not home.is_running() and (home.folder.exists() or not _installed_here()):
            home.enter(argv)
    except BootstrapError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(_in_words(error))
    except KeyboardInterrupt:
        sys.exit("Interrupted. The same command goes on where this one ended.")


class Environment:
    """The `.venv` of the project that lies in the folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"

    def is_running(self) -> bool:
        """Tell whether it is the environment of this process."""
        return Path(sys.prefix).resolve() == self.folder.resolve()

    def make(self, command: str, argv: "list[str]") -> None:
        """Bring it to the lock with what `command` needs; does nothing when it is there already."""
        works = self.is_running() or _works(self.python)
        if works and self._has(command):
            return
        self._refuse_old_python(argv)
        self._refuse_readonly()
        started = time.monotonic()
        print("Setting up Tidings in {} (only once).".format(self.folder))
        if not works:
            self._create()
        self._install(command)
        print("3/3 ready after {:.0f} s".format(time.monotonic() - started), flush=True)
        self.enter(argv)

    def enter(self, argv: "list[str]") -> None:
        """Replace this process by the same command in the environment. Raises `BootstrapError`."""
        script = str(self.root / "cli.py")
        sys.stdout.flush()
        try:
            os.execve(str(self.python), [str(self.python), script, *argv[1:]], self._variables())  # noqa: S606
        except OSError:
            state = "is broken" if self.folder.exists() else "is not set up yet"
            message = "Tidings {} here. This does it, and tries it out: python3 cli.py demo".format(state)
            raise BootstrapError(message) from None

    def _variables(self) -> "dict[str, str]":
        """The variables of this process; bytecode that may not lie beside the sources goes into the environment.

        Without any, each process would compile hundreds of modules anew: a second of computing for every command.
        """
        variables = dict(os.environ)
        if variables.pop("PYTHONDONTWRITEBYTECODE", ""):
            variables.setdefault("PYTHONPYCACHEPREFIX", str(self.folder / "pycache"))
        return variables

    # What it must contain

    def _stamp(self, extras: str) -> Path:
        return self.folder / "tidings-{}.stamp".format(extras.replace(",", "-"))

    def _fingerprint(self) -> str:
        # The folder too: what is installed from it is only linked.
        digest = hashlib.sha256(os.fsencode(str(self.root)))
        for name in ("pyproject.toml", "constraints.txt"):
            digest.update((self.root / name).read_bytes())
        return digest.hexdigest()

    def _has(self, command: str) -> bool:
        wanted = set(EXTRAS[command].split(","))
        enough = [extras for extras in set(EXTRAS.values()) if wanted <= set(extras.split(","))]
        stamps = [self._stamp(extras) for extras in enough]
        return any(stamp.exists() and stamp.read_text() == self._fingerprint() for stamp in stamps)

    # What can stand in the way

    def _refuse_old_python(self, argv: "list[str]") -> None:
        if tuple(sys.version_info[:2]) >= NEEDED:
            return
        message = "Tidings needs Python {}.{} or newer; {} is {}.{}.{}.".format(
            *NEEDED, sys.executable, *sys.version_info[:3]
        )
        for minor in range(NEWEST_KNOWN, NEEDED[1] - 1, -1):
            name = "python3.{}".format(minor)
            if shutil.which(name):
                raise BootstrapError(
                    "{} Run: {} cli.py {}".format(message, name, " ".join(argv[1:])).rstrip()
                )
        raise BootstrapError(message + " Install one, for example from https://www.python.org/downloads/")

    def _refuse_readonly(self) -> None:
        place = self.folder if self.folder.exists() else self.root
        if not os.access(str(place), os.W_OK):
            raise BootstrapError(
                "{} may not be written by this user, and the packages have to go there. Copy the project to a folder "
                "of your own, or change the owner: sudo chown -R $USER {}".format(place, place)
            )
        free = shutil.disk_usage(str(self.root)).free
        if free < DISK_NEEDED and not self.folder.exists():
            raise BootstrapError(
                "The disk is full: {} has {} MB left and the packages need {}. Make room and try again.".format(
                    self.root, free >> 20, DISK_NEEDED >> 20
                )
            )

    # How it is made

    def _create(self) -> None:
        print("1/3 environment", flush=True)
        uv = shutil.which("uv")
        if uv:
            command = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(self.folder)]
            if subprocess.call(command) == 0:
                return
        import venv  # not at the top: Debian can leave it out

        # Without ensurepip (Debian without python3-venv), the pip of this Python installs from outside.
        venv.create(str(self.folder), clear=True, symlinks=True, with_pip=_can_import("ensurepip"))

    def _install(self, command: str) -> None:
        extras = EXTRAS[command]
        arguments = ["-c", str(self.root / "constraints.txt"), "-e", "{}[{}]".format(self.root, extras)]
        installers = self._installers()
        label = "2/3 packages" if any(self.folder.glob("*.stamp")) else "2/3 packages (43 MB)"
        for number, installer in enumerate(installers, start=1):
            failed, output = _run(label, installer + arguments)
            if not failed:
                self._stamp(extras).write_text(self._fingerprint())
                return
            if number < len(installers):
                print("    {} could not do it; trying pip".format(installer[0]), flush=True)
        raise BootstrapError(_explain(installers[-1] + arguments, output))

    def _installers(self) -> "list[list[str]]":
        """Commands that can install into it, the fastest first."""
        found = []  # type: list[list[str]]
        uv = shutil.which("uv")
        if uv:
            found.append([uv, "pip", "install", "--python", str(self.python)])
        # Without bytecode for thousands of modules that nobody imports: a third of the time.
        quiet = ["install", "--no-compile", "--disable-pip-version-check", "--no-input", "-q"]
        if _works(self.python, "-m", "pip", "--version"):
            found.append([str(self.python), "-m", "pip", *quiet])
        elif not self.is_running() and _works(
            Path(sys.executable), "-m", "pip", "--python", str(self.python), "-V"
        ):
            found.append([sys.executable, "-m", "pip", "--python", str(self.python), *quiet])
        if not found:
            raise BootstrapError(
                "{} has no pip to install packages with. On Debian and Ubuntu: sudo apt install python3-venv. "
                "Then run the same command again.".format(sys.executable)
            )
        return found


def _works(python: Path, *arguments: str) -> bool:
    """Tell whether this interpreter is there, starts and is new enough."""
    test = list(arguments) or ["-c", "import sys; sys.exit(sys.version_info[:2] < {})".format(NEEDED)]
    quiet = subprocess.DEVNULL
    try:
        return subprocess.call([str(python), *test], stdin=quiet, stdout=quiet, stderr=quiet) == 0
    except OSError:
        return False


def _can_import(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _installed_here() -> bool:
    """Tell whether somebody installed the packages into the environment of this process."""
    return tuple(sys.version_info[:2]) >= NEEDED and importlib.util.find_spec("flask_migrate") is not None


def _run(label: str, command: "list[str]") -> "tuple[bool, str]":
    """Run a command, show on a terminal for how long; return whether it failed, and what it printed."""
    live = sys.stdout.isatty()
    print(label, end="" if live else "\n", flush=True)
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        seconds = 0
        while process.poll() is None:
            try:
                process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                seconds += 1
                if live:
                    print("\r{} … {} s".format(label, seconds), end="", flush=True)
        if live:
            print()
        output.seek(0)
        return process.returncode != 0, output.read().decode(errors="replace")


def _explain(command: "list[str]", output: str) -> str:
    reason = next(
        (meaning for signs, meaning in _MEANINGS if any(sign in output for sign in signs)), "see below"
    )
    tail = "\n".join("    " + line for line in output.strip().splitlines()[-_LAST_LINES:])
    repeat = " ".join(map(shlex.quote, command))
    return "The packages could not be installed: {}.\n{}\nTo see it again, run: {}".format(
        reason, tail, repeat
    )


def _in_words(error: OSError) -> str:
    words = {
        errno.ENOSPC: "The disk is full",
        errno.EACCES: "May not be written",
        errno.EROFS: "May not be written",
    }
    where = error.filename or "the project's folder"
    return "{}: {}. Then run the same command again.".format(
        words.get(error.errno or 0, error.strerror), where
    )

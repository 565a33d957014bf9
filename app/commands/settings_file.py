"""Settings that `demo`, `up` and `init` left in TIDINGS_HOME, so that every later command works without exports."""

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

FILE_NAME: Final = "settings.env"
DEFAULT_HOME: Final = "var"
DEMO_HOME: Final = "var/demo"


class BadSettingsFile(ValueError):
    """A line of the settings file is not KEY=VALUE; the text names file and line."""


def settings_file(env: MutableMapping[str, str] | None = None) -> Path:
    """Return where the settings file of this installation is, whether it exists or not."""
    home = (os.environ if env is None else env).get("TIDINGS_HOME")
    if not home:
        # A newcomer who has only run the demo means the demo.
        lived_in = [name for name in (DEFAULT_HOME, DEMO_HOME) if (Path(name) / FILE_NAME).exists()]
        home = lived_in[0] if lived_in else DEFAULT_HOME
    return Path(home).expanduser().absolute() / FILE_NAME


def load_home_settings(env: MutableMapping[str, str] | None = None) -> Path | None:
    """Put the file's settings into `env` (the process's own by default) where it lacks them.

    What is exported wins over the file. Returns the file, or None when there is none. Raises `BadSettingsFile`.
    """
    env = os.environ if env is None else env
    path = settings_file(env)
    settings = read_settings(path)
    for name, value in settings.items():
        if not env.get(name):
            env[name] = value
    return path if settings else None


def read_settings(path: Path) -> dict[str, str]:
    """Return the settings in a file, none when it is not there. Raises `BadSettingsFile`."""
    try:
        return dict(_pairs(path, path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadSettingsFile(f"{path} cannot be read: {error.strerror}.") from error


def write_home_settings(path: Path, settings: MutableMapping[str, str]) -> None:
    """Write the file anew, readable by its owner only, for it holds the keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.chmod(0o600)
    draft.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
    draft.replace(path)


def _pairs(path: Path, text: str) -> list[tuple[str, str]]:
    pairs = []
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, value = stripped.partition("=")
        if not equals or not name.strip().isidentifier():
            raise BadSettingsFile(
                f"{path}, line {number}: expected KEY=VALUE, such as TIDINGS_BRAND=Riverside."
            )
        pairs.append((name.strip(), value.strip()))
    return pairs

"""Signed heads as files: one small JSON file each, in a folder that the database's administrator does not rule."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import quote

from app.domain.tree_heads import BadHead, SignedHead, read_head
from app.services.controller import Refused

SUFFIX: Final = ".head.json"


def file_name(head: SignedHead) -> str:
    """Return a name that sorts by size and then time, such as `main-000000001204-20261128T000005000Z.head.json`."""
    time = "".join(letter for letter in head.time if letter.isalnum())
    return f"{quote(head.ledger, safe='')}-{head.tree_size:012d}-{time}{SUFFIX}"


def write(folder: Path, heads: Iterable[SignedHead]) -> list[Path]:
    """Write each head into a file of its own, never over one that is there; returns the new ones.

    Raises `Refused` when the folder cannot be written.
    """
    made = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for head in heads:
            path = folder / file_name(head)
            if not path.exists():
                _write_once(path, json.dumps(head.as_json(), indent=1, sort_keys=True) + "\n")
                made.append(path)
    except OSError as error:
        raise Refused(f"Signed heads cannot be written to {folder}: {error.strerror}.") from error
    return made


def read(folder: Path) -> tuple[list[SignedHead], tuple[str, ...]]:
    """Return the heads in a folder, and for each file that is none what is wrong. Raises `Refused` without a folder."""
    if not folder.is_dir():
        raise Refused(f"There is no folder {folder} with signed heads.")
    heads, problems = [], []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            heads.append(read_head(path.read_text(encoding="utf-8")))
        except (BadHead, UnicodeDecodeError) as error:
            problems.append(f"{path} is no signed head: {error}")
        except OSError as error:
            problems.append(f"{path} cannot be read: {error.strerror}.")
    return heads, tuple(problems)


def _write_once(path: Path, text: str) -> None:
    """Write a whole file or none: readers, such as a job that copies the folder away, never see half of one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(0o444)
    draft.rename(path)

"""What is handed to the stage: one file with the cast and the faults, written here and read in another process."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime

from app.domain.rehearsal import Faults
from app.services.rehearsal_cast import Cast
from app.services.rehearsal_extras import Part
from app.storage.database import Model, UtcDateTime

FILE = "script.json"


@dataclass(frozen=True)
class Script:
    """A cast with the faults of its provider, and the seconds after which the curtain falls."""

    cast: Cast
    faults: Faults
    seconds: float


def write(script: Script, home: Path) -> None:
    """Write it below the stage's folder, for its owner alone."""
    data = {"cast": asdict(script.cast), "faults": asdict(script.faults), "seconds": script.seconds}
    file = home / FILE
    file.touch(mode=0o600)
    file.write_text(json.dumps(data, default=_plain), encoding="utf-8")


def read(home: Path) -> Script:
    """Read it back, with moments where the tables have moments."""
    data = json.loads((home / FILE).read_text(encoding="utf-8"))
    cast = data["cast"]
    cast["starts_at"] = datetime.fromisoformat(cast["starts_at"])
    cast["parts"] = [Part(**part) for part in cast["parts"]]
    cast["rows"] = {name: [_typed(name, row) for row in rows] for name, rows in cast["rows"].items()}
    return Script(Cast(**cast), Faults(**data["faults"]), data["seconds"])


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not belong on a stage.")


def _typed(table: str, row: dict[str, Any]) -> dict[str, Any]:
    columns = Model.metadata.tables[table].columns
    return {
        name: datetime.fromisoformat(value)
        if value is not None and isinstance(columns[name].type, UtcDateTime | DateTime)
        else value
        for name, value in row.items()
    }

"""Where this machine keeps the journals of its workers."""

import hashlib
from pathlib import Path

from app.runtime import runtime
from app.storage.database import db
from app.storage.journal import Journal

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def journal() -> Journal:
    """Return the journals of this machine and this database, below TIDINGS_HOME."""
    url = db.engine.url.render_as_string(hide_password=True)
    name = hashlib.sha256(url.encode()).hexdigest()[:12]
    return Journal(runtime().settings.home / "journal" / name, boot_id())


def boot_id() -> str:
    """Name the running kernel: what a journal says is gone with it. Linux only; elsewhere no journal is believed."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""

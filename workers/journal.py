"""Where this machine keeps the journals of its workers."""

import hashlib

from app.runtime import runtime
from app.storage.database import db
from app.storage.journal import Journal
from workers.machine import boot_id


def journal() -> Journal:
    """Return the journals of this machine and this database, below TIDINGS_HOME."""
    url = db.engine.url.render_as_string(hide_password=True)
    name = hashlib.sha256(url.encode()).hexdigest()[:12]
    return Journal(runtime().settings.home / "journal" / name, boot_id())

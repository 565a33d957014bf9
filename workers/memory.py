"""What was seen of the database, kept outside of it: in TIDINGS_HOME and in Redis, so that an old one is noticed."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import structlog
from redis.exceptions import RedisError

from app.domain.restored import Seen, is_behind, read
from app.runtime import runtime
from app.services.notice_restore import seen_now, stop_all
from app.throttle import KEY_PREFIX

KEY = f"{KEY_PREFIX}:seen"

log = structlog.get_logger(__name__)


def look_at_the_database(now: datetime) -> None:
    """Pause all senders when the database knows less than it did, and remember what it knows.

    Asked before anything is opened or sent, by the clock each second and by each worker when it begins. Once is enough:
    the pause stands in the database, and from then on its present state is what is remembered.
    """
    found = seen_now()
    if found is None:
        return
    remembered = list(_remembered())
    if any(is_behind(found, before) for before in remembered):
        paused = stop_all(now)
        log.error("the database is older than what was sent, and all sending is paused", senders=paused)
    if found not in remembered or len(remembered) < 2:
        _remember(found)


def _remembered() -> Iterator[Seen]:
    for written in (_in_home(), _in_redis()):
        if written and (seen := read(written)) is not None:
            yield seen


def _file() -> Path:
    return runtime().settings.home / "seen.json"


def _in_home() -> str:
    try:
        return _file().read_text(encoding="utf-8")
    except OSError:
        return ""


def _in_redis() -> str:
    found = None
    with suppress(RedisError):
        found = runtime().redis.get(KEY)
    return found.decode() if isinstance(found, bytes) else ""


def _remember(found: Seen) -> None:
    written = found.written()
    with suppress(OSError):  # a full disk is told by the doctor
        half = _file().with_suffix(".new")
        half.parent.mkdir(parents=True, exist_ok=True)
        half.write_text(written, encoding="utf-8")
        half.replace(_file())
    with suppress(RedisError):
        runtime().redis.set(KEY, written)

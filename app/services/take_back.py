"""Let a draft say again what one of its versions said, with the buttons, templates and files of then."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.buttons import from_json
from app.services.audit import note
from app.services.broadcast_rows import draft_for_change
from app.services.controller import NotFound
from app.services.media.attach import put_back_media
from app.services.rich_messages import check_rich_of, put_back_rich
from app.services.shares import save_variants
from app.storage.database import transaction
from app.storage.models import Broadcast, BroadcastVersion
from app.storage.variants import variants_of
from app.storage.versions import Said, files_of, new_version, said


def take_back(broadcast_id: int, version: int, *, revision: int, by: str, now: datetime) -> int:
    """Let a draft say again what its version of that number said; `revision` is the one that was shown.

    That is a new version, whose number is returned: nothing is lost. The lists stay as they are, and so do buttons and
    files where a version of before this edition knows of none.

    Raises as `save_draft` does, and `NotFound` for a version that is not kept.
    """
    with transaction() as session:
        broadcast = draft_for_change(session, broadcast_id, revision)
        kept = session.get(BroadcastVersion, (broadcast_id, version))
        if kept is None:
            raise NotFound(f"There is no version {version} of this text.")
        with new_version(session, broadcast, by, now):
            _say(session, broadcast, said(kept, files_of(session, broadcast_id)))
        subject = f"broadcast {broadcast_id}"
        note(session, by, "broadcast.take_back", subject, now, revision=broadcast.revision, version=version)
        return broadcast.revision


def _say(session: Session, broadcast: Broadcast, then: Said) -> None:
    broadcast.title, broadcast.text = then.title, then.text
    save_variants(
        session, broadcast.id, {**dict.fromkeys(variants_of(session, broadcast.id), ""), **then.variants}
    )
    if then.rich is None:
        return
    given = {channel: from_json(one["content"] or {}, one["template"]) for channel, one in then.rich.items()}
    check_rich_of(session, broadcast.id, given)  # a list whose word a button stood for may be closed since
    put_back_rich(session, broadcast.id, then.rich)
    put_back_media(session, broadcast.id, then.files)

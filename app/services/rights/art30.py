"""The record of processing activities (GDPR article 30), made from lists, senders, settings and retention."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.ledger import iso_ms
from app.domain.retention import Periods
from app.services.controller import Controller
from app.services.lists_of_sender import promise_of
from app.services.rights import words
from app.services.rights.export_person import recipients
from app.storage.database import db
from app.storage.models import BroadcastList, Sender


def record_of_processing(
    *, language: str, periods: Periods, controller: Controller, now: datetime
) -> dict[str, Any]:
    """Return the record as a JSON object in `language`: one activity for each open list, and those all lists share.

    What Tidings cannot know (representative, data protection officer) is a line to fill in. Raises `Refused` for
    a language without words.
    """
    text, session = words.load(language), db.session()
    return {
        "format": "tidings-art30-1",
        "language": language,
        "made_at": iso_ms(now),
        "controller": {
            "name": controller.brand,
            "contact": controller.contact,
            "privacy": controller.privacy_url,
        },
        "activities": [*_lists(session, language), *_shared(text, session, language)],
        "retention": words.retention_table(language, periods),
        "measures": list(text["art30"]["measures"]),
    }


def page(pack: Mapping[str, Any]) -> str:
    """Return a record as a printable page in its language."""
    return words.page("art30", pack)


def _lists(session: Session, language: str) -> list[dict[str, Any]]:
    rows = session.execute(
        select(BroadcastList, Sender)
        .join(Sender, Sender.id == BroadcastList.sender_id)
        .where(BroadcastList.archived_at.is_(None))
        .order_by(BroadcastList.name)
    )
    text = words.load(language)["art30"]
    return [
        text["list"]
        | {
            "name": text["list"]["name"].format(name=row.name),
            "purpose": text["list"]["purpose"].format(
                purpose=row.purpose,
                promise=promise_of(row, language),
            ),
            "channel": sender.channel,
            "recipients": [one["who"] for one in recipients(session, language, [sender])],
        }
        for row, sender in rows
    ]


def _shared(text: Mapping[str, Any], session: Session, language: str) -> list[dict[str, Any]]:
    """The activities that every installation has: proof and suppression, the inbox, accounts at the desk."""
    senders = list(session.scalars(select(Sender)))
    carried = [one["who"] for one in recipients(session, language, senders)]
    return [
        text["art30"][name]
        | {"channel": None, "recipients": carried if name == "inbox" else [text["art30"]["nobody"]]}
        for name in ("proof", "inbox", "accounts")
    ]

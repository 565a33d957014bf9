"""What a sender offers: its lists with their words, their facts for replies, and their present notices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.replies import Facts, rates_apply
from app.domain.replies.promise import event_promise, promise
from app.services.controller import Controller
from app.storage.models import BroadcastList, Notice, Sender
from app.storage.shared import once
from app.storage.ways import lists_of


@dataclass(frozen=True)
class Offer:
    """One list that people may join by texting `word` to the sender."""

    word: str
    list: BroadcastList


def offers_of(session: Session, sender: Sender) -> dict[str, Offer]:
    """Return the sender's open lists by their word, in the order they were made."""
    rows = once(session, ("lists", sender.id), lambda here: lists_of(here, sender.id))
    return {row.keyword: Offer(row.keyword, row) for row in rows}


def facts_of(
    offer: Offer | None,
    offers: Mapping[str, Offer],
    sender: Sender,
    controller: Controller,
    language: str,
    until: str = "",
    link: str = "",
) -> Facts:
    """Return what replies in `language` say about a list, or about the sender where no list is meant.

    The line on message rates goes by our own number, so that everybody on a list is shown the same notice.
    """
    row = offer.list if offer else None
    return Facts(
        brand=controller.brand,
        list_name=row.name if row else "",
        purpose=row.purpose if row else "",
        frequency=promise_of(row, language) if row else "",
        contact=controller.contact,
        privacy_url=controller.privacy_url,
        words=tuple(one.word.upper() for one in offers.values()),
        until=until,
        link=link,
        rates_apply=rates_apply(Address(sender.channel, sender.address)),
    )


def promise_of(row: BroadcastList, language: str) -> str:
    """Return what a list promises, in words."""
    hours = row.from_hour, row.until_hour
    if row.most is None or row.ends_at is None:
        return promise(language, row.max_per_day, *hours)
    ends_at = row.ends_at.astimezone(ZoneInfo(row.zone))
    return event_promise(language, row.most, ends_at, row.erase_after_days or 0, *hours)


def present_notice(session: Session, list_id: int, language: str) -> Notice:
    """Return the newest notice of a list in `language`, else in English; every list has one."""
    rows = once(session, ("notices", list_id), lambda here: _notices(here, list_id))
    by_preference = sorted(
        rows, key=lambda row: (row.language != language, row.language != "en", -row.version)
    )
    return by_preference[0]


def _notices(session: Session, list_id: int) -> Sequence[Notice]:
    rows = select(Notice).where(Notice.list_id == list_id).order_by(Notice.version.desc(), Notice.id)
    return session.scalars(rows).all()

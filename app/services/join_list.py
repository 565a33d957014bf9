"""The sign-up page of a list: what it says, and what a filled-in form does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.asking import Who
from app.domain.keywords import squeeze
from app.domain.replies import Facts
from app.services.controller import Controller, NotFound, Refused
from app.services.lists_of_sender import Offer, facts_of, present_notice
from app.services.questions import SignUp, may_ask_for
from app.services.request_consent import request_consents
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, Notice, Sender
from app.storage.ways import ways


@dataclass(frozen=True)
class JoinPage:
    """What people are told before they sign up. `notice_text` is the versioned notice, word for word.

    `number` is ours, to text the keyword to; on channels without numbers it is what the gateway has for an address.
    `by_form`: people can be asked on their number, so there is a form. `channels` are all of the list.
    """

    list_id: int
    keyword: str
    facts: Facts
    notice_id: int
    notice_text: str
    notice_version: int
    channel: str
    number: str
    by_form: bool
    sender_id: int
    sender_name: str
    channels: frozenset[str]


@dataclass(frozen=True)
class Form:
    """A form as somebody sent it. `evidence` is what shows it: page, words shown, box ticked, IP, browser."""

    list_id: int
    notice_id: int
    address: Address
    language: str
    cta_ref: str
    evidence: Mapping[str, str]


def join_page(keyword: str, language: str, *, channel: str | None = None, controller: Controller) -> JoinPage:
    """Return the sign-up page of the open list with this keyword: for its first sender, or for that on a channel.

    Raises `NotFound`, also when the list is not on that channel.
    """
    session = db.session()
    list_ = session.scalar(
        select(BroadcastList).where(
            BroadcastList.keyword == squeeze(keyword), BroadcastList.archived_at.is_(None)
        )
    )
    sender = _sender(session, list_, channel) if list_ else None
    if list_ is None or sender is None:
        raise NotFound(f"There is no list “{keyword}”.")
    notice = present_notice(session, list_.id, language)
    offer = Offer(list_.keyword, list_)
    return JoinPage(
        list_.id,
        list_.keyword.upper(),
        facts_of(offer, {offer.word: offer}, sender, controller, language),
        notice.id,
        notice.text,
        notice.version,
        sender.channel,
        sender.address,
        may_ask_for(list_, sender),
        sender.id,
        sender.name,
        frozenset(ways(session, [list_.id])),
    )


def _sender(session: Session, list_: BroadcastList, channel: str | None) -> Sender | None:
    if channel is None:
        return session.get_one(Sender, list_.sender_id)
    found = ways(session, [list_.id]).get(channel, frozenset())
    return session.get_one(Sender, min(found)) if found else None


def sign_up(form: Form, *, link: str, controller: Controller, now: datetime) -> int | None:
    """Ask the person at this address to confirm; returns the sender whose question waits, None when nobody is asked.

    Why not is not told: a web page must not say who is subscribed, suppressed, or was asked before.
    """
    with transaction() as session:
        shown = session.get_one(Notice, form.notice_id)
        wish = SignUp(
            Who.FORM,
            link,
            language=form.language,
            notice=shown,
            cta_ref=form.cta_ref,
            evidence=form.evidence,
        )
        try:
            answers = request_consents(
                session, [form.address], form.list_id, wish, controller=controller, now=now
            )
        except Refused:  # the list was closed while somebody filled in its form
            return None
        asked = answers.asked.get(form.address)
        return asked.sender_id if asked else None

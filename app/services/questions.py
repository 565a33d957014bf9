"""The question that confirms a sign-up: its words, its link, when it may go, and what the ledger says of it."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.asking import Who
from app.domain.consent import QUESTION_OPEN_FOR, Act, EventType
from app.domain.policy.content import adverts
from app.domain.replies import LANGUAGES, ReplyKind, reply
from app.services.controller import Controller, Refused
from app.services.hold_back import STATED_ZONE
from app.services.lists_of_sender import Offer, facts_of, present_notice
from app.services.own_messages import may_go_at
from app.services.record_consent import NewEvent
from app.storage.models import BroadcastList, Notice, OwnMessage, Sender, Subscriber

# Without 0, 1, i, l, o: somebody may have to type it. Ten of 31 letters are 49 bits; the link lives three days.
_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"
CODE_LENGTH: Final = 10
# The one channel on which a question needs no template that a platform approved before.
CHANNEL: Final = "sms"

_ACTS: Final = {
    Who.FORM: Act.WEB_CHECKBOX,
    # Not OPERATOR, with which a question to a subscriber means that the purpose changed (3.2, row 39).
    Who.OPERATOR: Act.AGENT_RECORDED,
    Who.IMPORT: Act.IMPORT_ATTESTED,
    Who.CHANGE: Act.OPERATOR,
}


@dataclass(frozen=True)
class SignUp:
    """How the wish to be on a list reached us. `evidence` is what shows it; it is sealed in the ledger.

    `by` names the operator, None the person. `language` is that of the question, None that of the list; `notice`
    is the version that was shown, None the present one. `link` is the address that a question's code is put behind.
    """

    who: Who
    link: str
    by: str | None = None
    language: str | None = None
    notice: Notice | None = None
    cta_ref: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    evidence_of: Mapping[Address, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def actor(self) -> str:
        """Who is named in the ledger."""
        return "person" if self.by is None else f"operator:{self.by}"

    @property
    def template(self) -> ReplyKind:
        """Which question is put."""
        return ReplyKind.QUESTION_AGAIN if self.who is Who.CHANGE else ReplyKind.QUESTION


def question(
    list_: BroadcastList,
    sender: Sender,
    language: str,
    controller: Controller,
    link: str,
    kind: ReplyKind = ReplyKind.QUESTION,
) -> str:
    """Return the words of the question."""
    offer = Offer(list_.keyword, list_)
    facts = facts_of(offer, {}, sender, controller, language, link=link)
    return reply(kind, language, facts)


def may_ask_for(list_: BroadcastList, sender: Sender) -> bool:
    """Tell whether people can be asked for this list at all."""
    return list_.archived_at is None and sender.channel == CHANNEL and not adverts(list_.name)


@dataclass
class Draft:
    """A question that is not stored yet. `due_at` is None when it may go at once."""

    person: Subscriber
    message: OwnMessage
    goes_at: datetime
    due_at: datetime | None
    language: str

    @property
    def open_until(self) -> datetime:
        """When an answer comes too late."""
        return self.goes_at + QUESTION_OPEN_FOR


def check_list(list_: BroadcastList, sender: Sender) -> None:
    """Raise `Refused` with the reason when nobody may be asked for this list."""
    if list_.archived_at is not None:
        raise Refused(f"The list “{list_.name}” is archived; nobody can join it any more.")
    if sender.channel != CHANNEL:
        raise Refused(f"People can be asked by SMS only, and “{list_.name}” is sent over {sender.channel}.")
    if found := adverts(list_.name):
        raise Refused(
            f"The question would be advertising, for the list's name says “{found[0]}”. "
            "Let people text the keyword instead."
        )


def draft_of(
    person: Subscriber,
    list_: BroadcastList,
    sender: Sender,
    sign_up: SignUp,
    controller: Controller,
    now: datetime,
) -> Draft:
    """Return the question for one person, with a code of its own."""
    code = "".join(secrets.choice(_LETTERS) for _ in range(CODE_LENGTH))
    language = sign_up.language or (_spoken(person, list_) if sign_up.who is Who.CHANGE else list_.language)
    acted = now if sign_up.who is Who.FORM else None
    address = Address(person.channel, person.address)
    zone = person.attributes.get(STATED_ZONE)
    goes_at = now if acted else may_go_at(list_, address, zone, controller.region, now)
    message = OwnMessage(
        subscriber_id=person.id,
        list_id=list_.id,
        kind=ReplyKind.QUESTION.value,
        text=question(list_, sender, language, controller, f"{sign_up.link}/{code}", sign_up.template),
        code=code,
        acted_at=acted,
        created_at=now,
    )
    return Draft(person, message, goes_at, goes_at if goes_at > now else None, language)


def events_of(
    session: Session, draft: Draft, list_: BroadcastList, sender: Sender, sign_up: SignUp, now: datetime
) -> Sequence[NewEvent]:
    """First the sign-up with its evidence, then the question: so that it is no advertising (OLG Düsseldorf).

    Whom we ask because the purpose changed did not sign up anew: there the question is all.
    """
    person = draft.person
    notice = sign_up.notice or present_notice(session, list_.id, draft.language)
    here = {"address": person.address, "channel": person.channel}
    own = sign_up.evidence_of.get(Address(person.channel, person.address), {})
    common: dict[str, Any] = {
        "act": _ACTS[sign_up.who],
        "list_id": list_.id,
        "notice": notice,
        "cta_ref": sign_up.cta_ref,
        "sender": sender,
    }
    asked = NewEvent(
        person,
        EventType.CONSENT_REQUESTED,
        now,
        sign_up.actor,
        pii={**here, "text": draft.message.text},
        reply_template=sign_up.template.value,
        until=draft.open_until,
        **common,
    )
    if sign_up.who is Who.CHANGE:
        return (asked,)
    evidence = {**here, **sign_up.evidence, **own}
    return (
        NewEvent(person, EventType.SIGNUP_RECORDED, now, sign_up.actor, pii=evidence, **common),
        asked,
    )


def _spoken(person: Subscriber, list_: BroadcastList) -> str:
    """The person's language where we have questions in it."""
    return person.language if person.language in LANGUAGES else list_.language

"""What people of a list read when they join it, ask for help, or leave: in each language that we write."""

from dataclasses import dataclass

from app.domain.replies import LANGUAGES, ReplyKind, reply
from app.services.controller import Controller
from app.services.lists_of_sender import Offer, facts_of, offers_of, present_notice
from app.storage.database import db
from app.storage.models import BroadcastList, Sender


@dataclass(frozen=True)
class ListTexts:
    """The texts in one language. `version` is that of the notice, which is the welcome."""

    language: str
    welcome: str
    version: int
    help: str
    left_list: str
    left_all: str


def texts_of(row: BroadcastList, *, controller: Controller) -> list[ListTexts]:
    """Return the texts of a list by language, as they would be sent now. Raises `MissingFact`."""
    session = db.session()
    sender, found = session.get_one(Sender, row.sender_id), []
    offers = offers_of(session, sender)
    for language in LANGUAGES:
        facts = facts_of(Offer(row.keyword, row), offers, sender, controller, language)
        said = (reply(kind, language, facts) for kind in _KINDS)
        notice = present_notice(session, row.id, language)
        found.append(ListTexts(language, notice.text, notice.version, *said))
    return found


_KINDS = (ReplyKind.HELP, ReplyKind.STOPPED_LIST, ReplyKind.STOPPED)

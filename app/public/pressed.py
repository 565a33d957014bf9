"""A button that is the consent: every sentence that counts around it, and what is kept to show that it was pressed."""

from flask import request

from app.gateways.browsers import BrowserGateway
from app.gateways.registry import build
from app.public import security
from app.public.texts import load
from app.runtime import runtime
from app.services.controller import NotFound
from app.services.gateways_of_senders import gateway_of
from app.services.join_by_browser import Press
from app.services.join_list import JoinPage
from app.storage.database import db
from app.storage.models import Sender


def statements(page: JoinPage, spoken: str, room: str) -> dict[str, str]:
    """Return every sentence that counts for the consent, as the page shows it; the button names the list.

    `room` is where the words are: `push` or `in-app`.
    """
    facts, words = page.facts, load(spoken)[room]
    values = {"brand": facts.brand, "list_name": facts.list_name}
    return {
        "purpose": facts.purpose,
        "frequency": facts.frequency,
        "stop": words["stop_any_time"],
        "agree": words["agree"].format(**values),
        "no_condition": load(spoken)["join"]["no_condition"],
        "button": words["turn_on"].format(**values),
    }


def digest(page: JoinPage, spoken: str, room: str) -> str:
    """Return the SHA-256 of all that is shown, by which a page that is too old is known."""
    return security.digest(_as_text(page, spoken, room))


def press_of(page: JoinPage, spoken: str, room: str, number: str, **more: str) -> Press:
    """Return the press with its evidence; `number` makes a repeat of it harmless, `more` is further evidence."""
    shown = _as_text(page, spoken, room)
    evidence = {
        **security.evidence(),
        "form_id": f"{room}:{page.keyword}:{spoken}",
        "page_url": f"{runtime().settings.public_url}{request.full_path.rstrip('?')}",
        "page_sha256": security.digest(shown),
        "page_text": shown,
        "button": load("en")[room]["pressed"],
        **more,
    }
    return Press(page, spoken, number, f"web:/{room}/{page.keyword}", evidence)


def gateway_of_page(page: JoinPage) -> BrowserGateway:
    """Return the gateway that makes the proofs of this page's readers. Raises `NotFound` where it makes none."""
    gateway = gateway_of(db.session().get_one(Sender, page.sender_id), runtime().controller, build)
    if not isinstance(gateway, BrowserGateway):
        raise NotFound("This list is not read in browsers.")
    return gateway


def _as_text(page: JoinPage, spoken: str, room: str) -> str:
    settings = runtime().settings
    notice = f"[{page.notice_id}.{page.notice_version}] {page.notice_text}"
    lines = [*statements(page, spoken, room).values(), notice, settings.terms_url, settings.privacy_url]
    return "\n".join(lines)

"""WhatsApp in the simulator: the story of two readers, the window, templates, statuses, and what Meta refuses."""

from datetime import timedelta

import pytest

from app.clock import utcnow
from app.domain.messages import ErrorKind, HookRequest, ReceiptStatus
from app.services import stop_broadcasts
from app.simulator.wire import Answer
from app.storage.database import db
from app.storage.models import Broadcast
from tests.gateways.samples.whatsapp import SETTINGS
from tests.support.chat_city import ADA, GRACE, ChatCity, Platform
from tests.support.world import Newsroom

NUMBER = SETTINGS["number"]
TEMPLATE = {**SETTINGS, "template": "newsletter:en_US"}


def test_people_join_read_switch_off_and_on_stop_and_fall_silent(newsroom: Newsroom) -> None:
    city = ChatCity(newsroom, "whatsapp", NUMBER, SETTINGS)
    for phone in (ADA, GRACE):
        city.says(phone, "CITY")
    assert "you asked for City" in city.shown(ADA)[-1]
    assert city.broadcast("The bridge is open.") == ["delivered", "delivered"]
    assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["The bridge is open."] * 2

    city.prefers(ADA, False)
    assert city.state(ADA) == "stopped"
    city.prefers(ADA, True)
    assert city.state(ADA) == "active"
    city.blocks(GRACE)  # nobody is told, and only the status of the next message shows it
    assert city.state(GRACE) == "active"
    assert [one.split()[0] for one in city.broadcast("The road is open.")] == ["delivered", "failed"]
    city.blocks(GRACE, False)
    city.says(GRACE, "HELP")

    city.says(ADA, "STOP")
    assert city.state(ADA) == "stopped"
    city.says(ADA, "CITY")
    assert city.broadcast("The tram runs.") == ["delivered", "delivered"]
    assert city.shown(GRACE)[-1] == "The tram runs."
    city.newsroom.later(hours=25)
    assert city.broadcast("Too late.") == []
    assert [city.shown(ADA).count(words) for words in ("The road is open.", "The tram runs.")] == [1, 1]
    assert "Too late." not in city.shown(ADA)


def test_a_template_that_the_platform_takes_stops_the_broadcast_and_its_approval_only_says_so(
    newsroom: Newsroom,
) -> None:
    city = ChatCity(newsroom, "whatsapp", NUMBER, TEMPLATE)
    city.says(GRACE, "CITY")
    broadcast = newsroom.broadcast("The bridge is open.")

    judge(city, "PAUSED", "LOW_QUALITY")
    city.drain()
    assert "The bridge is open." not in city.shown(GRACE)
    assert standing(broadcast) == (
        "paused",
        "The template newsletter:en_US may not be sent now, says the platform: PAUSED, LOW_QUALITY",
    )

    city.newsroom.later(hours=1)
    judge(city, "APPROVED")
    assert standing(broadcast)[0] == "paused"
    stop_broadcasts.resume(broadcast, by="bob", now=newsroom.now)
    city.drain()
    assert city.shown(GRACE)[-1] == "The bridge is open."


def test_the_platform_refuses_what_goes_by_a_template_that_it_took(whatsapp: Platform) -> None:
    judge(whatsapp, "DISABLED")

    (outcome,) = whatsapp.send("+12025550143")

    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.code) == (ErrorKind.CONFIG, "132016")


def judge(platform: Platform, event: str, reason: str = "NONE") -> None:
    """Let the platform take or approve our usual template, by the control API."""
    data = {"sender": NUMBER, "template": "newsletter:en_US", "event": event, "reason": reason}
    assert platform.client.post("/control/templates", json=data).status_code == 200


def standing(broadcast_id: int) -> tuple[str, str | None]:
    db.session.rollback()
    row = db.session.get_one(Broadcast, broadcast_id)
    return row.state, row.state_reason


class Heard:
    """The statuses that came to us, as our gateway reads them."""

    def __init__(self, platform: Platform) -> None:
        self._platform, self.ends = platform, list[tuple[ReceiptStatus, ErrorKind | None]]()
        platform.world.wire.send = self._hear  # type: ignore[method-assign]

    def _hear(self, url: str, body: bytes, headers: dict[str, str], method: str = "POST") -> Answer:
        request = HookRequest(method, url, {name.lower(): value for name, value in headers.items()}, body)
        self._platform.gateway.verify(request)
        for event in self._platform.gateway.parse(request):
            if event.receipt is not None:
                error = event.receipt.error
                self.ends.append((event.receipt.status, error.kind if error else None))
        return Answer(200, b"")


@pytest.fixture
def whatsapp() -> Platform:
    return Platform("whatsapp", NUMBER, TEMPLATE)


def ends(
    platform: Platform, person: str, answers: bool = False
) -> list[tuple[ReceiptStatus, ErrorKind | None]]:
    """Send one message that is taken; returns its statuses."""
    heard = Heard(platform)
    (outcome,) = platform.send(person, inbound_id=int(answers))
    assert outcome.error is None
    platform.tell_later()
    return heard.ends


REACHED = [(ReceiptStatus.SENT, None), (ReceiptStatus.DELIVERED, None)]


def test_a_template_reaches_whoever_has_a_number_until_they_switch_marketing_off(whatsapp: Platform) -> None:
    Heard(whatsapp)
    assert ends(whatsapp, GRACE) == REACHED
    assert whatsapp.shown(GRACE) == ["Hello"]

    whatsapp.world.chats.prefer(GRACE, whatsapp.account, False)
    assert ends(whatsapp, GRACE) == [(ReceiptStatus.FAILED, ErrorKind.OPTED_OUT)]
    whatsapp.world.chats.prefer(GRACE, whatsapp.account, True)
    assert ends(whatsapp, GRACE) == REACHED


def test_free_text_reaches_people_for_a_day_after_their_words(whatsapp: Platform) -> None:
    now = utcnow()
    timed = Platform("whatsapp", NUMBER, SETTINGS, lambda: now)
    assert ends(timed, ADA) == [(ReceiptStatus.FAILED, ErrorKind.WINDOW_CLOSED)]
    timed.world.chats.text(ADA, timed.account, "Hello")
    assert ends(timed, ADA) == REACHED
    now += timedelta(hours=24)
    assert ends(timed, ADA) == [(ReceiptStatus.FAILED, ErrorKind.WINDOW_CLOSED)]


@pytest.mark.parametrize(
    ("digits", "kind"),
    [
        ("0403", ErrorKind.INVALID),
        ("0404", ErrorKind.INVALID),
        ("0424", ErrorKind.WINDOW_CLOSED),
        ("0449", ErrorKind.PREFERENCE_CAP),
        ("0610", ErrorKind.OPTED_OUT),
    ],
)
def test_some_numbers_fail_with_their_status(whatsapp: Platform, digits: str, kind: ErrorKind) -> None:
    assert ends(whatsapp, f"+44770090{digits}") == [(ReceiptStatus.FAILED, kind)]


def test_statuses_may_come_twice_and_in_any_order(whatsapp: Platform) -> None:
    assert ends(whatsapp, "+447700900299") == [REACHED[1], REACHED[0], REACHED[1]]


def test_a_number_that_reads_tells_so_after_its_delivery(whatsapp: Platform) -> None:
    assert ends(whatsapp, "+447700900298") == [*REACHED, REACHED[1]]


@pytest.mark.parametrize(
    ("digits", "kind"),
    [
        ("0429", ErrorKind.RATE_LIMITED),
        ("0456", ErrorKind.PAIR_LIMITED),
        ("0500", ErrorKind.TEMPORARY),
    ],
)
def test_some_numbers_are_refused_once(whatsapp: Platform, digits: str, kind: ErrorKind) -> None:
    (first,), (second,) = (whatsapp.send(f"+44770090{digits}") for _ in range(2))

    assert first.error is not None
    assert (first.error.kind, second.error) == (kind, None)


def test_what_meta_cannot_read_is_refused_with_its_code(whatsapp: Platform) -> None:
    def code(node: str = SETTINGS["phone_number_id"], token: str = SETTINGS["token"], **body: object) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        whole = {"messaging_product": "whatsapp", "to": ADA, **body}
        answer = whatsapp.client.post(f"/v25.0/{node}/messages", json=whole, headers=headers)
        return answer.get_json()["error"]["code"]

    text = {"type": "text", "text": {"body": "Hello"}}
    line = {"type": "body", "parameters": [{"type": "text", "text": "two\nlines"}]}
    template = {"name": "newsletter", "language": {"code": "en_US"}, "components": [line]}
    assert code(token="wrong", **text) == 190
    assert code(node="7", **text) == 100
    assert code(type="text") == 131008
    assert code(type="text", text={"body": "x" * 4097}) == 100
    assert code(type="template", template=template) == 132018
    assert code(type="template", template={**template, "name": "sale"}) == 132001
    assert code(type="template", template={**template, "components": []}) == 132000
    assert code(messaging_product="sms", **text) == 100

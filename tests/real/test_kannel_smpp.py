"""Our SMS centre of tests, and with it our codec, against Kannel's SMPP client: what either writes, the other reads.

Kannel has no SMPP server. But what a client sends and what a centre brings have one form, and each side here writes one
and reads the other.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.clock import utcnow
from app.domain.statuses import DeliveryStatus
from app.gateways.smpp_pdu import HAS_USER_DATA_HEADER, Command, Message, Party
from app.gateways.smpp_text import Header, gsm_encode
from tests.real.door import open_door
from tests.real.kannel import free_port, kannel_over_smpp, missing
from tests.real.test_kannel import ADA, OURS, SECRET, Desk, until
from tests.support.smpp_centre import PASSWORD, SYSTEM_ID, Centre, running_centre
from tests.support.world import Newsroom

pytestmark = pytest.mark.slow

LONG = "Grüße: the bridge is open, [and] so is the ferry for 5 €. " * 8


@pytest.fixture
def centre() -> Iterator[Centre]:
    with running_centre() as found:
        yield found


@pytest.fixture
def desk(newsroom: Newsroom, tmp_path: Path, centre: Centre) -> Iterator[Desk]:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    newsroom.now = utcnow()
    with (
        open_door(newsroom.app, free_port()) as door,
        kannel_over_smpp(
            tmp_path, f"{door}/hooks/kannel?key={SECRET}", centre.port, SYSTEM_ID, PASSWORD
        ) as url,
    ):
        until(lambda: bool(centre.bound), "Kannel's bind")
        yield Desk(newsroom, url, door)


def send(desk: Desk, words: str) -> None:
    desk.newsroom.now = utcnow()
    desk.newsroom.broadcast(words)
    desk.drain()


@pytest.mark.parametrize("in_fields", [False, True], ids=["reports in words", "in fields"])
def test_kannel_and_our_centre_understand_each_other(desk: Desk, centre: Centre, in_fields: bool) -> None:
    centre.manners.in_fields = in_fields
    centre.text(ADA, OURS, "city")
    until(lambda: desk.state() == "active", "the consent")
    desk.drain()
    until(lambda: any("you asked for City" in words for _, words in centre.texts), "the welcome")

    for words in ("Grüße [all] €", LONG, "Привет 🌍 " * 20):
        send(desk, words)
        until(lambda words=words: (ADA, words.strip()) in stripped(centre), words)  # type: ignore[misc]
    until(lambda: desk.statuses() == {DeliveryStatus.DELIVERED}, "the reports")
    until(lambda: len(centre.answers) >= 5, "Kannel's answers")
    assert {status for _, status in centre.answers} == {0}

    in_parts(centre, "No more of this, please. " * 7 + "STOP")
    until(lambda: desk.state() != "active", "the long text")


def stripped(centre: Centre) -> list[tuple[str, str]]:
    return [(to, words.strip()) for to, words in centre.texts]


def in_parts(centre: Centre, words: str) -> None:
    """Ada sends a text of two parts."""
    ada, ours = (Party(1, 1, one.removeprefix("+")) for one in (ADA, OURS))
    for number, half in ((1, words[:150]), (2, words[150:])):
        data = Header(77, 2, number).encode() + gsm_encode(half)
        centre.bound[-1].deliver(Message(ada, ours, data, HAS_USER_DATA_HEADER))


def test_kannel_asks_whether_we_are_there_and_leaves_in_good_order(tmp_path: Path, centre: Centre) -> None:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    with kannel_over_smpp(tmp_path, "http://127.0.0.1:9/", centre.port, SYSTEM_ID, PASSWORD):
        until(lambda: bool(centre.bound), "Kannel's bind")

    until(lambda: centre.seen[Command.UNBIND] == 1, "Kannel's unbind")

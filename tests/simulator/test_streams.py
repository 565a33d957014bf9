"""The SMS centre and the XMPP server of the simulator: what they refuse, report and bring, seen by our own streams."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, ErrorKind, Outcome, Receipt, Recipient
from app.gateways.registry import build
from app.gateways.streams import Stream, StreamBroken, open_stream
from app.simulator.later import Soon
from app.simulator.limits import Faults
from app.simulator.messengers import Account
from app.simulator.streams import StreamServer, signal_daemon, smpp_centre, xmpp_server
from app.simulator.wire import CannotDeliver
from app.simulator.world import World
from tests.support.chat_city import ADA, GRACE

SMPP = {"from": "+12025550177", "system_id": "riverside", "password": "a-secret"}
XMPP = {"from": "city@news.localhost", "secret": "a-component-secret"}
SIGNAL = {"account": "+12025550177", "accept": "community"}
MAKERS = {"signal": signal_daemon, "smpp": smpp_centre, "xmpp": xmpp_server}
INVALID, BLOCKED, TEMPORARY = ErrorKind.INVALID, ErrorKind.BLOCKED, ErrorKind.TEMPORARY
LIMITED, UNKNOWN = ErrorKind.RATE_LIMITED, ErrorKind.UNKNOWN


class Side:
    """One of the servers, and our gateway with its stream."""

    def __init__(self, channel: str, server: StreamServer, world: World, **wrong: str) -> None:
        own = {"smpp": SMPP, "xmpp": XMPP, "signal": SIGNAL}[channel]
        self.world = world
        self.account = Account(channel, own["account" if channel == "signal" else "from"], settings=own)
        world.chats.put(self.account)
        settings = {**own, "host": "127.0.0.1", "port": str(server.port), **wrong}
        if channel == "signal":
            settings = {**own, "server": f"http://127.0.0.1:{server.port}", **wrong}
        self.gateway = build(channel, settings, None)
        self.stream: Stream = open_stream(self.gateway, None)

    def send(self, phone: str, text: str = "Hello") -> Outcome:
        address = self.world.xmpp.id_of(phone) if self.account.channel == "xmpp" else phone
        recipient = Recipient(DeliveryRef(1, 1, 0), Address(self.gateway.channel, address), text)
        (call,) = self.gateway.encode(Batch((recipient,), ""))
        self.stream.submit(call)
        for _ in range(100):
            if done := self.stream.poll(0.05):
                return self.gateway.decode(*done[0])[0]
        raise AssertionError("no answer within five seconds")

    def receipts(self, count: int = 1) -> list[Receipt]:
        """What it reports, as soon as there are so many."""
        found: list[Receipt] = []
        end = time.monotonic() + 5
        while len(found) < count and time.monotonic() < end:
            self.stream.poll(0.05)
            for request in self.stream.received():
                found += [one.receipt for one in self.gateway.parse(request) if one.receipt]
                self.stream.answer(self.gateway.acknowledge(request).body)
        return found


@contextmanager
def side(channel: str, **wrong: str) -> Iterator[Side]:
    world = World()
    made: StreamServer = MAKERS[channel](world, "127.0.0.1", 0, Soon(0.01))
    made.start()
    try:
        yield Side(channel, made, world, **wrong)
    finally:
        world.stopping.set()
        made.stop()


@pytest.fixture
def smpp() -> Iterator[Side]:
    with side("smpp") as found:
        yield found
        found.stream.close()


@pytest.fixture
def xmpp() -> Iterator[Side]:
    with side("xmpp") as found:
        yield found
        found.stream.close()


@pytest.fixture
def signal() -> Iterator[Side]:
    with side("signal") as found:
        yield found
        found.stream.close()


def kind(outcome: Outcome) -> ErrorKind | None:
    return outcome.error.kind if outcome.error else None


@pytest.mark.parametrize(
    ("ending", "expected"), [("0404", [INVALID] * 2), ("0429", [LIMITED, None]), ("0500", [TEMPORARY, None])]
)
def test_an_sms_centre_refuses_by_number(smpp: Side, ending: str, expected: list[ErrorKind | None]) -> None:
    assert [kind(smpp.send(f"+44770090{ending}")) for _ in range(2)] == expected


def test_a_status_that_no_table_has_is_temporary(smpp: Side) -> None:
    outcome = smpp.send("+447700900998")

    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.code) == (TEMPORARY, "0x4ff")


@pytest.mark.parametrize(("ending", "expected"), [("0202", INVALID), ("0614", INVALID), ("0403", TEMPORARY)])
def test_an_sms_centre_reports_what_fails(smpp: Side, ending: str, expected: ErrorKind) -> None:
    assert kind(smpp.send(f"+44770090{ending}")) is None
    (receipt,) = smpp.receipts()
    assert receipt.error is not None
    assert receipt.error.kind is expected


@pytest.mark.parametrize(
    "words",
    ["Brücke {offen} €5 ~ \\ [x] ^ |", "Дорога 🌍 " * 40, "Long and plain. " * 40],
    ids=["more", "ucs", "gsm"],
)
def test_every_alphabet_arrives_whole_in_however_many_parts(smpp: Side, words: str) -> None:
    assert kind(smpp.send(GRACE, words.strip())) is None
    bubble = smpp.world.conversations.bubbles(GRACE)[-1]
    assert (bubble.text, bubble.channel) == (words.strip(), "smpp")
    assert (bubble.parts > 1) == (len(words) > 100)


def test_an_account_with_a_rate_is_throttled(smpp: Side) -> None:
    settings = {**SMPP, "rate": "1"}
    smpp.world.chats.put(Account("smpp", SMPP["from"], settings=settings))
    smpp.stream.close()
    time.sleep(0.1)
    smpp.stream = open_stream(smpp.gateway, None)

    assert [kind(smpp.send(GRACE)) for _ in range(2)] == [None, LIMITED]


@pytest.mark.parametrize(
    ("faults", "expected", "arrived"),
    [
        (Faults(error_rate=1), TEMPORARY, 0),
        (Faults(throttle_rate=1), LIMITED, 0),
        (Faults(drop_rate=1), UNKNOWN, 0),
        (Faults(lost_reply_rate=1), UNKNOWN, 1),
    ],
)
def test_planned_faults_hold_for_an_sms_centre(
    smpp: Side, faults: Faults, expected: ErrorKind, arrived: int
) -> None:
    smpp.world.faults.plan(faults)

    assert kind(smpp.send(GRACE)) is expected
    assert len(smpp.world.conversations.bubbles(GRACE)) == arrived


@pytest.mark.parametrize("channel", ["smpp", "xmpp"])
def test_whoever_has_the_wrong_secret_does_not_come_in(channel: str) -> None:
    wrong = {"password": "another"} if channel == "smpp" else {"secret": "another"}
    with pytest.raises(StreamBroken), side(channel, **wrong):
        pass


@pytest.mark.parametrize("channel", ["smpp", "xmpp"])
def test_with_nobody_connected_the_phone_shows_why_the_text_was_not_taken(channel: str) -> None:
    world = World()
    account = Account(channel, (SMPP if channel == "smpp" else XMPP)["from"])
    world.chats.put(account)

    assert world.chats.text(ADA, account, "CITY") is None
    note = world.conversations.bubbles(ADA)[-1]
    assert (note.kind, "for" in note.text) == ("note", True)
    with pytest.raises(CannotDeliver):
        world.smpp.said(account, ADA, "CITY").carry()  # type: ignore[misc]


@pytest.mark.parametrize(
    ("ending", "expected"), [("0404", INVALID), ("0403", BLOCKED), ("0202", INVALID), ("0998", TEMPORARY)]
)
def test_an_xmpp_server_says_by_an_error_whom_it_cannot_reach(
    xmpp: Side, ending: str, expected: ErrorKind
) -> None:
    assert kind(xmpp.send(f"+44770090{ending}")) is None  # worked off; the error comes behind it
    (receipt,) = xmpp.receipts()
    assert receipt.error is not None
    assert receipt.error.kind is expected


def test_receipts_come_once_or_twice_or_never(xmpp: Side) -> None:
    xmpp.send("+447700900504")
    xmpp.send("+447700900299")
    xmpp.send(GRACE)

    assert [one.status.value for one in xmpp.receipts(4)] == ["delivered"] * 3


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("0404", [INVALID] * 2),
        ("0610", [BLOCKED] * 2),
        ("0202", [UNKNOWN] * 2),
        ("0504", [UNKNOWN] * 2),
        ("0998", [TEMPORARY] * 2),
        ("0429", [LIMITED, None]),
        ("0500", [TEMPORARY, None]),
    ],
)
def test_a_signal_daemon_says_by_its_result_whom_it_cannot_reach(
    signal: Side, ending: str, expected: list[ErrorKind | None]
) -> None:
    assert [kind(signal.send(f"+44770090{ending}")) for _ in range(2)] == expected


def test_signal_reports_each_message_but_those_to_blockers(signal: Side) -> None:
    for ending in ("0403", "0299", "0118"):
        assert kind(signal.send(f"+44770090{ending}")) is None

    assert [one.status.value for one in signal.receipts(4)] == ["delivered"] * 3


@pytest.mark.parametrize(
    ("faults", "expected", "arrived"),
    [
        (Faults(error_rate=1), TEMPORARY, 0),
        (Faults(throttle_rate=1), LIMITED, 0),
        (Faults(drop_rate=1), UNKNOWN, 0),
        (Faults(lost_reply_rate=1), UNKNOWN, 1),
    ],
)
def test_planned_faults_hold_for_a_signal_daemon(
    signal: Side, faults: Faults, expected: ErrorKind, arrived: int
) -> None:
    signal.world.faults.plan(faults)

    assert kind(signal.send(GRACE)) is expected
    assert len(signal.world.conversations.bubbles(GRACE)) == arrived


def test_a_daemon_without_the_account_refuses_us() -> None:
    with pytest.raises(StreamBroken), side("signal", account="+12025550199"):
        pass

"""What all messengers share: accounts, the switch for news, what a restart keeps, and what is told later."""

from datetime import timedelta
from pathlib import Path
from threading import Event

from app.simulator.application import create_app
from app.simulator.later import Soon
from app.simulator.messengers import Account
from app.simulator.snapshot import load, save
from app.simulator.wire import Answer
from app.simulator.world import World
from tests.gateways.samples.line import SETTINGS as LINE
from tests.gateways.samples.whatsapp import SETTINGS as WHATSAPP
from tests.support.chat_city import ADA, HOOK, Platform


def test_the_control_api_turns_the_switch_where_there_is_one() -> None:
    platform = Platform("whatsapp", WHATSAPP["number"], WHATSAPP)
    platform.world.chats.put(Account("line", LINE["id"], HOOK, settings=LINE))
    posted: list[bytes] = []

    def hear(url: str, body: bytes, headers: dict[str, str], method: str = "POST") -> Answer:
        posted.append(body)
        return Answer(200, b"")

    platform.world.wire.send = hear  # type: ignore[method-assign]

    def prefer(sender: str, wanted: object) -> int:
        body = {"phone": ADA, "sender": sender, "wanted": wanted}
        return platform.client.post("/control/prefer", json=body).status_code

    assert [prefer(WHATSAPP["number"], one) for one in (False, True, "no")] == [200, 200, 400]
    assert (prefer(LINE["id"], False), prefer("nobody", False)) == (400, 400)
    assert [b'"value": "stop"' in posted[0], b'"value": "resume"' in posted[1]] == [True, True]


def test_one_address_is_one_account() -> None:
    client = create_app(World()).test_client()

    answers = [
        client.put("/control/accounts", json={"channel": channel, "address": "citydesk"})
        for channel in ("viber", "viber", "messenger")
    ]

    assert [one.status_code for one in answers] == [200, 200, 400]
    assert "an account on viber already" in answers[2].get_json()["error"]


def test_a_restart_keeps_who_wrote_and_who_switched_off(tmp_path: Path) -> None:
    before = Platform("whatsapp", WHATSAPP["number"], WHATSAPP).world
    before.wire.send = lambda *_: Answer(200, b"")  # type: ignore[method-assign]
    account = before.chats.accounts[WHATSAPP["number"]]
    before.chats.text(ADA, account, "CITY")
    before.chats.prefer(ADA, account, False)
    save(before, tmp_path / "phones.json")

    after = World()
    load(after, tmp_path / "phones.json")

    assert after.chats.wrote_within(account, ADA.removeprefix("+"), timedelta(hours=1))
    assert after.chats.is_unwanted(account, ADA.removeprefix("+"))


def test_what_is_told_later_comes_in_its_order() -> None:
    told, done = list[int](), Event()
    soon = Soon(0.0, threads=1)

    for number in range(3):
        soon(lambda number=number: told.append(number))  # type: ignore[misc]
    soon(done.set)

    assert done.wait(5)
    assert told == [0, 1, 2]

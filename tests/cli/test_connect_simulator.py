"""`tidings senders connect` and `quota` as one tries them in the demo: the real commands against the simulator."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pytest

from app.gateways.connect import _OPENINGS as CONNECTED
from app.gateways.connect.quota import _OPENINGS as COUNTED
from app.simulator.application import create_app
from app.simulator.messengers import Account
from app.simulator.records import Sender
from app.simulator.server import Server
from app.simulator.wire import Answer, CannotDeliver
from app.simulator.world import World
from tests.cli.conftest import Shell
from tests.gateways.samples import SAMPLES

HOOK = "http://localhost/hooks/news"
OLD = "http://localhost/hooks/old"
SERVICE = "MG" + "1" * 32


@dataclass
class Demo:
    """The simulator on a port, with our account; `heard` are its calls to us, which `answers` may leave alone."""

    shell: Shell
    world: World = field(default_factory=World)
    heard: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    status: int = 200
    url: str = ""

    def hear(self, url: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> Answer:
        if not self.status:
            raise CannotDeliver(url)
        self.heard.append((method, url, headers))
        challenge = parse_qs(urlsplit(url).query).get("hub.challenge", [""])[0]
        return Answer(self.status, challenge.encode())

    def add(self, gateway: str, **more: str) -> None:
        settings = {**SAMPLES[gateway].settings, **more}
        given = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        self.shell.ok("senders", "add", "news", "--gateway", gateway, "--base-url", self.url, *given)
        if gateway == "twilio":
            service = settings.get("messaging_service_sid", "")
            account = settings["account_sid"], settings["auth_token"]
            self.world.state.put_sender(
                Sender(settings["from"], *account, OLD, messaging_service_sid=service)
            )
        else:
            self.world.chats.put(Account(gateway, SAMPLES[gateway].sender, OLD, settings=settings))

    def pointed_at(self) -> set[str]:
        """Where our accounts' webhooks go now."""
        return {one.webhook_url for one in (*self.world.chats.all(), *self.world.state.all_senders())}


@pytest.fixture
def demo(shell: Shell) -> Iterator[Demo]:
    found = Demo(shell)
    found.world.wire.send = found.hear  # type: ignore[method-assign]
    server = Server("127.0.0.1", 0, create_app(found.world))
    server.start()
    found.url = f"http://127.0.0.1:{server.port}"
    shell.ok("db", "upgrade")
    yield found
    server.stop()


@pytest.mark.parametrize("gateway", sorted(CONNECTED))
def test_every_platform_with_an_api_for_it_takes_our_address(demo: Demo, gateway: str) -> None:
    demo.add(gateway)

    found = demo.shell.json("senders", "connect", "news")

    assert found["done"]
    assert HOOK in " ".join([*found["done"], *found["left"]])
    # Messenger's address is entered in its dashboard, by hand.
    assert demo.pointed_at() == ({OLD} if gateway == "messenger" else {HOOK})


def test_twilios_messaging_service_takes_it_for_all_its_numbers(demo: Demo) -> None:
    demo.add("twilio", messaging_service_sid=SERVICE)

    assert SERVICE in demo.shell.json("senders", "connect", "news")["done"][0]
    assert demo.pointed_at() == {HOOK}


@pytest.mark.parametrize("gateway", ["line", "viber", "whatsapp"])
def test_those_that_call_the_address_first_say_so_when_nobody_answers(demo: Demo, gateway: str) -> None:
    demo.add(gateway)
    demo.shell.ok("senders", "connect", "news")
    assert len(demo.heard) == 1
    demo.status = 0

    result = demo.shell.run("senders", "connect", "news")

    assert result.exit_code == 1
    assert "Traceback" not in result.output


@pytest.mark.parametrize("gateway", sorted(CONNECTED))
def test_a_token_that_the_platform_does_not_know_is_its_refusal(demo: Demo, gateway: str) -> None:
    demo.add(gateway)
    for account in demo.world.chats.all():
        demo.world.chats.accounts.pop(account.address)
        other = {name: f"{value}9" for name, value in account.settings.items()}
        demo.world.chats.put(Account(account.channel, account.address, OLD, settings=other))
    if gateway == "twilio":
        (sender,) = demo.world.state.all_senders()
        demo.world.state.put_sender(Sender(sender.number, sender.account_sid, "another", OLD))

    result = demo.shell.run("senders", "connect", "news")

    assert result.exit_code == 1
    assert "did not work" in result.output
    assert demo.pointed_at() == {OLD}


@pytest.mark.parametrize("gateway", sorted(COUNTED))
def test_every_platform_with_an_api_for_it_tells_the_quota(demo: Demo, gateway: str) -> None:
    demo.add(gateway)

    told = " ".join(demo.shell.json("senders", "quota", "news")["told"])

    assert {"line": "sets no limit; sent this month: 0", "whatsapp": "1,000 people in 24 hours"}[
        gateway
    ] in told


def test_lines_quota_counts_what_was_sent(demo: Demo) -> None:
    demo.add("line")
    (account,) = demo.world.chats.all()
    limited = {**account.settings, "monthly_limit": "500"}
    demo.world.chats.put(Account("line", account.address, OLD, settings=limited))
    message = {"to": "U" + "0" * 21 + "12025550143", "messages": [{"type": "text", "text": "Hello"}]}
    access = {"Authorization": f"Bearer {limited['channel_token']}"}
    demo.world.chats.open("+12025550143", demo.world.chats.all()[0], "")
    client = create_app(demo.world).test_client()
    assert client.post("/v2/bot/message/push", json=message, headers=access).status_code == 200

    told = client.get("/v2/bot/message/quota", headers=access).json
    assert told == {"type": "limited", "value": 500}
    assert client.get("/v2/bot/message/quota/consumption", headers=access).json == {"totalUsage": 1}
    assert demo.shell.json("senders", "quota", "news")["told"][0].startswith(
        "LINE takes 500 messages this month;"
    )

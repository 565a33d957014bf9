"""A WeChat account of the newsroom's list “City” at the simulated WeChat, over its real protocol both ways."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta

from flask.testing import FlaskClient

from app.domain.messages import Event, HookRequest
from app.gateways.base import Call, Gateway, Reply, Token
from app.gateways.registry import build, gateway_class
from app.gateways.tokens import Kept, TokenTransport
from app.services import fan_out, schedule_broadcasts, write_drafts
from app.services.apply_event import apply_event
from app.services.gateways_of_senders import open_settings
from app.services.manage_senders import add
from app.services.replies_broadcast import replies_broadcast
from app.services.send_deliveries import Lane, LaneSetup
from app.services.senders_of_lists import add_sender
from app.simulator.application import create_app
from app.simulator.messengers import Account
from app.simulator.wire import Answer
from app.simulator.world import World
from app.storage.database import transaction
from app.storage.models import Sender
from tests.support.world import Newsroom
from workers.journal import journal

SIMULATOR = "http://127.0.0.1:8001"
HOOK = "http://127.0.0.1:9/hooks/city-wechat"


class Wire:
    """A transport whose other end is the simulator's application."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client
        self._ended: list[tuple[Call, Reply]] = []
        self.paths: list[str] = []

    @property
    def free(self) -> int:
        return 8 - len(self._ended)

    @property
    def in_flight(self) -> int:
        return len(self._ended)

    def submit(self, call: Call) -> None:
        path = call.url.removeprefix(SIMULATOR)
        self.paths.append(path.partition("?")[0].removeprefix("/cgi-bin/"))
        answer = self._client.open(path, method=call.method, data=call.body, headers=dict(call.headers))
        self._ended.append((call, Reply(answer.status_code, answer.data)))

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        self._ended.clear()


class OneProcess:
    """A keeper for one process."""

    def __init__(self) -> None:
        self.kept: Kept | None = None

    def token(self) -> Kept | None:
        return self.kept

    def lock(self) -> AbstractContextManager[bool]:
        return nullcontext(True)

    def keep(self, token: Token) -> None:
        self.kept = Kept(token.value, True)

    def rest(self) -> None:
        return None


class WeChatCity:
    """`gateway_name` says which kind of account; with an `aes_key` its messages are encrypted."""

    def __init__(self, newsroom: Newsroom, gateway_name: str, settings: dict[str, str]) -> None:
        self.newsroom, self.name = newsroom, gateway_name
        self.world = World(clock=lambda: newsroom.now)
        self.world.wire.send = self._hear  # type: ignore[method-assign]
        self._told_later: list[Callable[[], None]] = []
        self.heard: list[Event] = []
        kind = "subscription" if gateway_name == "wechat_subscription" else "service"
        self.account = Account("wechat", settings["id"], HOOK, settings={**settings, "kind": kind})
        self.world.chats.put(self.account)
        self.wire = Wire(create_app(self.world, later=self._told_later.append).test_client())
        self.keeper = OneProcess()
        self.sender_id = add(
            name="city-wechat",
            gateway=gateway_class(gateway_name),
            settings=settings,
            base_url=SIMULATOR,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        ).id
        add_sender("CITY", "city-wechat", by="tests", now=newsroom.now)

    def gateway(self) -> Gateway:
        with transaction() as session:
            sender = session.get_one(Sender, self.sender_id)
            return build(self.name, open_settings(sender, self.newsroom.controller), SIMULATOR)

    def follow(self, phone: str, scene: str = "") -> None:
        self.world.chats.open(phone, self.account, scene)
        self.send()

    def text(self, phone: str, words: str) -> None:
        self.world.chats.text(phone, self.account, words)
        self.send()

    def leave(self, phone: str, gone: bool = True) -> None:
        self.world.chats.block(phone, self.account, gone)
        self.send()

    def shown(self, phone: str) -> list[str]:
        """What came to a phone from us."""
        return [one.text for one in self.world.conversations.bubbles(phone) if one.kind == "in"]

    def plan(
        self, title: str, text: str = "The bridge is open.", list_ids: Sequence[int] = (), **more: float
    ) -> int:
        """Schedule a broadcast, for now or so much later."""
        newsroom = self.newsroom
        draft = write_drafts.create_draft(
            title=title, text=text, list_ids=list_ids or [newsroom.list_id], by="ada", now=newsroom.now
        )
        at = newsroom.now + timedelta(**more)
        schedule_broadcasts.schedule(draft, at=at, zone="UTC", by="ada", now=newsroom.now)
        return draft

    def broadcast(self, title: str, text: str = "The bridge is open.", list_ids: Sequence[int] = ()) -> int:
        """Schedule one for now, and send it over WeChat."""
        draft = self.plan(title, text, list_ids)
        fan_out.open_due(controller=self.newsroom.controller, now=self.newsroom.now)
        self.send()
        fan_out.end_finished(self.newsroom.now)
        return draft

    def send(self) -> None:
        """Work the account's lane."""
        newsroom = self.newsroom
        with transaction() as session:
            replies_id = replies_broadcast(session, session.get_one(Sender, self.sender_id), newsroom.now)
        gateway = self.gateway()
        lane = Lane(
            LaneSetup(self.sender_id, replies_id, 1.0, HOOK, gateway),
            transport=TokenTransport(gateway, self.wire, self.keeper, wait=lambda _: None),  # type: ignore[arg-type]
            throttle=newsroom.throttle,
            controller=newsroom.controller,
            journal=journal(),
            clock=lambda: newsroom.now,
            worker="here:3",
        )
        lane.drain(newsroom.now + timedelta(seconds=20))

    def tell_later(self) -> None:
        """Let WeChat tell how its mass sends ended."""
        jobs, self._told_later[:] = list(self._told_later), []
        for job in jobs:
            job()

    def _hear(self, url: str, body: bytes, headers: dict[str, str], method: str = "POST") -> Answer:
        """Take a webhook as the door does."""
        query = dict(pair.split("=", 1) for pair in url.partition("?")[2].split("&"))
        request = HookRequest(
            method, url, {name.lower(): value for name, value in headers.items()}, body, query
        )
        gateway, newsroom = self.gateway(), self.newsroom
        gateway.verify(request)
        for event in gateway.parse(request):
            self.heard.append(event)
            apply_event(event, sender_id=self.sender_id, controller=newsroom.controller, now=newsroom.now)
        return Answer(200, gateway.acknowledge(request).body.encode())

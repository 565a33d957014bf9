"""The newsroom's list “City” on one messenger, people with phones, and the simulated platform between them.

Both ways lead over the real protocol: our lane calls the simulator's application, its webhooks come to our door.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from sqlalchemy import select

from app.clock import utcnow
from app.domain.addresses import Address
from app.domain.buttons import Rich
from app.domain.messages import Batch, DeliveryRef, Outcome, Recipient
from app.domain.statuses import DeliveryStatus
from app.gateways.base import Call, Reply
from app.gateways.registry import build, gateway_class
from app.services import fan_out
from app.services.controller import Refused
from app.services.manage_senders import add
from app.services.media.lane_media import LaneMedia, MediaHouse
from app.services.replies_broadcast import replies_broadcast
from app.services.send_deliveries import Lane, LaneSetup
from app.services.senders_of_lists import add_sender
from app.simulator.application import create_app
from app.simulator.messengers import Account
from app.simulator.wire import Answer
from app.simulator.world import World
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, Delivery, Sender, Subscriber, Subscription
from app.webhooks import HookDoor
from tests.support.world import Newsroom
from workers.journal import journal

ADA, GRACE = "+12025550143", "+447700900118"
SIMULATOR = "http://simulator"
HOOK = "http://127.0.0.1:9/hooks/city"


class Line:
    """Carries our calls to the simulator at once."""

    free = 10

    def __init__(self, client: FlaskClient) -> None:
        self._client, self._done = client, list[tuple[Call, Reply]]()

    @property
    def in_flight(self) -> int:
        return len(self._done)

    def submit(self, call: Call) -> None:
        self._done.append((call, ask(self._client, call)))

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        done, self._done = self._done, []
        return done

    def close(self) -> None:
        """Nothing is open."""


def ask(client: FlaskClient, call: Call) -> Reply:
    """Make one call to the simulator."""
    path = call.url.removeprefix(SIMULATOR)
    answer = client.open(
        path, method=call.method, data=call.body, headers=dict(call.headers), auth=call.basic_auth
    )
    headers = {name.lower(): value for name, value in answer.headers}
    return Reply(answer.status_code, answer.data, headers)


class Platform:
    """A simulated platform alone, without our product: `hear` takes its webhooks."""

    hook = HOOK
    platform = ""
    """The simulator's name for it, where the gateway has another one."""

    def __init__(
        self, channel: str, address: str, settings: Mapping[str, str], clock: Callable[..., object] = utcnow
    ) -> None:
        self.later: list[Callable[[], None]] = []
        self.world = World(clock=clock)  # type: ignore[arg-type]
        self.client = create_app(self.world, later=self.later.append).test_client()
        self.account = Account(self.platform or channel, address, self.hook, settings=dict(settings))
        self.connect()
        self.gateway = build(channel, settings, SIMULATOR)

    def connect(self) -> None:
        """Tell the simulator about our account."""
        self.world.chats.put(self.account)

    def send(self, *people: str, text: str = "Hello", inbound_id: int = 0) -> list[Outcome]:
        """Hand a text over as our lane does; an `inbound_id` makes it an answer."""
        recipients = tuple(
            Recipient(DeliveryRef(1, number, inbound_id), Address(self.gateway.channel, one), text)
            for number, one in enumerate(people, 1)
        )
        calls = self.gateway.encode(Batch(recipients, self.hook))
        return [one for call in calls for one in self.gateway.decode(call, ask(self.client, call))]

    def tell_later(self) -> None:
        """Let it tell what it tells some time after its answers."""
        jobs, self.later[:] = list(self.later), []
        for job in jobs:
            job()

    def shown(self, phone: str) -> list[str]:
        """What came to a phone from us."""
        return [one.text for one in self.world.conversations.bubbles(phone) if one.kind == "in"]


class ChatCity(Platform):
    """The platform with our product behind its webhooks."""

    def __init__(self, newsroom: Newsroom, channel: str, address: str, settings: dict[str, str]) -> None:
        self.newsroom = newsroom
        newsroom.now = utcnow()  # the product's door reads the true clock
        super().__init__(channel, address, settings, lambda: newsroom.now)
        self.world.wire.send = self._bring  # type: ignore[method-assign]
        self.world.shelf.fetch_from = self._fetch
        app = newsroom.app
        app.wsgi_app = HookDoor(app, app.wsgi_app, build, lambda: Line(self.client))  # type: ignore[method-assign]
        self._product = app.test_client()
        self.files = app.extensions["tidings"].files
        self.sender_id = add(
            name="city",
            gateway=gateway_class(channel),
            settings=settings,
            base_url=SIMULATOR,
            rate=1000.0,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        ).id
        if (
            self.gateway.channel == "sms"
        ):  # a list has one sender on each channel: ours in place of the newsroom's
            with transaction() as session:
                session.get_one(BroadcastList, newsroom.list_id).sender_id = self.sender_id
        else:
            add_sender("CITY", "city", by="tests", now=newsroom.now)

    def _bring(self, url: str, body: bytes, headers: dict[str, str], method: str = "POST") -> Answer:
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        answer = self._product.open(path, method=method, data=body, headers=headers)
        return Answer(answer.status_code, answer.data)

    def tell(self, body: bytes, headers: dict[str, str]) -> int:
        """Post to our door as the platform does; returns the status of the answer."""
        return self._bring(self.hook, body, headers).status

    def _fetch(self, url: str) -> Answer:
        answer = self._product.get(urlsplit(url).path)
        return Answer(answer.status_code, answer.data, answer.content_type)

    def comes(self, phone: str, scene: str = "") -> None:
        """Somebody opens the chat, perhaps by a link or code of ours."""
        self.newsroom.later(seconds=5)
        self.world.chats.open(phone, self.account, scene)
        self.drain()

    def says(self, phone: str, text: str) -> None:
        self.newsroom.later(seconds=5)
        answer = self.world.chats.text(phone, self.account, text)
        assert answer is not None
        assert answer.taken
        self.drain()

    def presses(self, phone: str, label: str) -> None:
        """Somebody presses a button below the newest message that has some."""
        self.newsroom.later(seconds=5)
        shown = [one.keys for one in self.world.conversations.bubbles(phone) if one.keys]
        key = next(one for one in shown[-1] if one.label == label)
        answer = self.world.chats.press(phone, self.account, key.label, key.value)
        assert answer is not None
        assert answer.taken
        self.drain()

    def blocks(self, phone: str, blocked: bool = True) -> None:
        self.newsroom.later(seconds=5)
        self.world.chats.block(phone, self.account, blocked)
        self.drain()

    def prefers(self, phone: str, wanted: bool) -> None:
        """Somebody turns the platform's own switch for our news."""
        self.newsroom.later(seconds=5)
        assert self.world.chats.prefer(phone, self.account, wanted)
        self.drain()

    def broadcast(self, text: str, rich: Mapping[str, Rich] = MappingProxyType({})) -> list[str]:
        """Send to the list, let the platform report; returns how it ended for each, in words.

        Where nobody can be reached the broadcast is refused, and it is nobody.
        """
        self.newsroom.later(minutes=5)
        try:
            broadcast_id = self.newsroom.broadcast(text, rich=rich)
        except Refused as refused:
            if "Nobody on these lists can be reached" not in str(refused):
                raise
            return []
        self.drain()
        self.tell_later()
        fan_out.end_finished(self.newsroom.now)
        db.session.rollback()
        found = db.session.execute(
            select(Delivery.status, Delivery.reason).where(Delivery.broadcast_id == broadcast_id)
        )
        return sorted(
            f"{DeliveryStatus(status).name.lower()} {reason or ''}".strip() for status, reason in found
        )

    def drain(self) -> None:
        """Work the lane."""
        newsroom = self.newsroom
        with transaction() as session:
            replies_id = replies_broadcast(session, session.get_one(Sender, self.sender_id), newsroom.now)
        house = MediaHouse(self.files, "http://localhost", newsroom.controller)
        lane = Lane(
            LaneSetup(self.sender_id, replies_id, 1000.0, self.hook, self.gateway),
            transport=Line(self.client),
            throttle=newsroom.throttle,
            controller=newsroom.controller,
            journal=journal(),
            clock=lambda: newsroom.now,
            worker="here:2",
            media=LaneMedia(self.sender_id, self.gateway, house, lambda: Line(self.client)),
        )
        lane.drain(newsroom.now + timedelta(seconds=20))

    def state(self, phone: str) -> str | None:
        """Whether the owner of a phone is on the list."""
        db.session.rollback()
        here = (
            Subscriber.channel == self.gateway.channel,
            Subscriber.address.contains(phone.removeprefix("+")),
        )
        return db.session.scalar(select(Subscription.state).join(Subscriber).where(*here))

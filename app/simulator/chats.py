"""Messengers on the phones besides SMS: accounts of ours on them; who opened a chat, wrote, blocked us.

Each messenger speaks its own wire protocol in a module of its own (`telegram_api`), which needs from here: where a
message of ours goes, and how what a person does is told to the product.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from threading import RLock
from typing import Literal, NamedTuple
from urllib.parse import urlencode

from app.clock import utcnow
from app.domain.styles import Span
from app.simulator.conversations import Change, Conversations
from app.simulator.keys import Keys
from app.simulator.medium import Medium
from app.simulator.messengers import Account, BadAccount, Messenger, Told
from app.simulator.records import is_loopback
from app.simulator.silence import ask_for
from app.simulator.wire import Answer, CannotDeliver, Wire

Fate = Literal["deliver", "no_chat", "blocked"]
KEPT = 10_000


class Arrived(NamedTuple):
    """A message of ours that came to a phone."""

    address: str
    number: str
    text: str
    has_file: bool
    at: datetime


class Chats:
    """All accounts and chats. Safe to use from many threads."""

    def __init__(
        self,
        conversations: Conversations,
        wire: Wire,
        messengers: Mapping[str, Messenger],
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self._conversations, self._wire, self._messengers = conversations, wire, messengers
        self._clock, self._lock = clock, RLock()
        self.accounts: dict[str, Account] = {}
        self.on_reset: list[Callable[[], object]] = []
        self.reset()

    def reset(self) -> None:
        """Forget chats, blocks and counts, and run what is `on_reset`; keep the accounts."""
        for forget in self.on_reset:
            forget()
        with self._lock:
            self.opened: set[tuple[str, str]] = set()
            self._known, self._numbers = -1, dict[tuple[str, str], str]()
            self.blocks: set[tuple[str, str]] = set()
            self.unwanted: set[tuple[str, str]] = set()
            self.last_words: dict[tuple[str, str], datetime] = {}
            self._counts: Counter[str] = Counter()
            self._copies: Counter[tuple[str, str, str]] = Counter()
            self._newest: deque[Arrived] = deque(maxlen=KEPT)

    def put(self, account: Account) -> None:
        """Add an account, or replace the one of the same address. Raises `BadAccount`."""
        if account.channel not in self._messengers:
            known = ", ".join(sorted(self._messengers))
            raise BadAccount(f"channel: {account.channel!r} is not simulated; there are {known}")
        if account.webhook_url and not is_loopback(account.webhook_url):
            raise BadAccount(f"webhook_url: {account.webhook_url!r} is not on this machine")
        with self._lock:
            other = self.accounts.get(account.address, account).channel
            if other != account.channel:
                raise BadAccount(f"address: {account.address!r} is an account on {other} already")
            self.accounts[account.address] = account
            self._known = -1

    @property
    def channels(self) -> tuple[str, ...]:
        """Return the channels that accounts can be on."""
        return tuple(self._messengers)

    def all(self) -> tuple[Account, ...]:
        """Return the accounts in the order in which they were made."""
        with self._lock:
            return tuple(self.accounts.values())

    def find(self, channel: str, setting: str, value: str) -> Account | None:
        """Return the account on a channel that has this setting; nobody has an empty one."""
        here = (one for one in self.all() if value and one.channel == channel)
        return next((one for one in here if one.settings.get(setting) == value), None)

    def deliver(
        self,
        account: Account,
        user_id: str,
        text: str,
        medium: Medium | None = None,
        keys: Keys = (),
        name: str = "",
        parts: int = 1,
        looks: tuple[Span, ...] = (),
    ) -> Fate:
        """Show a message of ours on the phone whose owner has this id, if they opened a chat and did not block us.

        `name` is what the messenger calls it, where it can be changed later.
        """
        number = self.number_of(account, user_id)
        with self._lock:
            if number is None:
                return "no_chat"
            if (number, account.address) in self.blocks:
                return "blocked"
            ask_for(number)
            self._counts["total"] += 1
            self._copies[account.address, user_id, text] += 1
            self._newest.append(Arrived(account.address, number, text, medium is not None, self._clock()))
        self._conversations.add(
            number,
            "in",
            account.address,
            text,
            parts,
            channel=account.channel,
            medium=medium,
            keys=keys,
            name=name,
            looks=looks,
        )
        return "deliver"

    def change(
        self,
        account: Account,
        user_id: str,
        name: str,
        text: str | None,
        keys: Keys = (),
        looks: tuple[Span, ...] = (),
    ) -> Change | Fate:
        """Change a message of ours that was delivered, or with None take it away; a blocker's stays as it is."""
        number = self.number_of(account, user_id)
        if number is None:
            return "no_chat"
        if self.is_blocked(number, account.address):
            return "blocked"
        return self._conversations.change(number, account.address, name, text, keys, looks)

    def text(self, number: str, account: Account, text: str) -> Answer | None:
        """Somebody writes to us: opens the chat, and tells the product; None when the product was not reached."""
        messenger = self._messengers[account.channel]
        if not messenger.reaches_all:
            self.open(number, account)
        with self._lock:
            self.last_words[number, account.address] = self._clock()
        self._conversations.add(number, "out", account.address, text, channel=account.channel)
        return self._hear(account, number, lambda: messenger.said(account, number, text))

    def press(self, number: str, account: Account, label: str, value: str) -> Answer | None:
        """Somebody presses a button below a message of ours: the phone shows its label, the product hears its value."""
        messenger = self._messengers[account.channel]
        if not messenger.reaches_all:
            self.open(number, account)
        with self._lock:
            self.last_words[number, account.address] = self._clock()
        self._conversations.add(number, "out", account.address, label, channel=account.channel)
        return self._hear(account, number, lambda: messenger.pressed(account, number, label, value))

    def open(self, number: str, account: Account, scene: str = "") -> Answer | None:
        """Somebody comes to us; `scene` is what the code said that brought them, and is told each time."""
        with self._lock:
            known = (number, account.address) in self.opened
            self.opened.add((number, account.address))
        if known and not scene:
            return None
        messenger = self._messengers[account.channel]
        if messenger.opens_by_a_press:
            with self._lock:
                self.last_words[number, account.address] = self._clock()
        told = messenger.opened(account, number, scene, known)
        return None if told is None else self._tell(account, number, told)

    def report(self, account: Account, told: Told) -> None:
        """Tell the product what is about nobody in particular."""
        with suppress(CannotDeliver):
            self._post(account, told)

    def block(self, number: str, account: Account, blocked: bool) -> None:
        """Somebody blocks us on this messenger, or lifts the block; or closes the chat, where that is the way."""
        messenger, here = self._messengers[account.channel], (number, account.address)
        with self._lock:
            if messenger.closes:
                self.opened.discard(here)
            else:
                change = self.blocks.add if blocked else self.blocks.discard
                change(here)
        told = messenger.blocked(account, number, blocked)
        if told is not None:
            self._tell(account, number, told)

    def prefer(self, number: str, account: Account, wanted: bool) -> bool:
        """Somebody ends our news by the messenger's own switch, or wants them again; False where there is none."""
        told = self._messengers[account.channel].preferred(account, number, wanted)
        if told is None:
            return False
        with self._lock:
            change = self.unwanted.discard if wanted else self.unwanted.add
            change((number, account.address))
        self._tell(account, number, told)
        return True

    def judge(self, account: Account, template: str, event: str, reason: str) -> Answer | None:
        """The platform takes a template from us, or approves it; returns the answer, None if nobody is told."""
        told = self._messengers[account.channel].judged(account, template, event, reason)
        if told is None:
            return None
        try:
            return self._post(account, told)
        except CannotDeliver:
            return Answer(0, b"")

    def is_unwanted(self, account: Account, user_id: str) -> bool:
        """Tell whether the person with this id switched our news off."""
        with self._lock:
            return (self.number_of(account, user_id), account.address) in self.unwanted

    def wrote_within(self, account: Account, user_id: str, span: timedelta = timedelta.max) -> bool:
        """Tell whether the person with this id wrote to us so lately; without a span, whether ever."""
        with self._lock:
            last = self.last_words.get((self.number_of(account, user_id) or "", account.address))
        return last is not None and self._clock() - last < span

    def is_blocked(self, number: str, address: str) -> bool:
        """Tell whether the owner of a phone blocked an account."""
        with self._lock:
            return (number, address) in self.blocks

    def counts(self) -> dict[str, int]:
        """Return messages of ours that arrived, people who got some, and copies beyond the first."""
        with self._lock:
            return {
                "total": self._counts["total"],
                "distinct": len({(address, user) for address, user, _ in self._copies}),
                "duplicates": sum(count - 1 for count in self._copies.values()),
            }

    def arrived(self, address: str = "", number: str = "") -> Iterator[Arrived]:
        """Yield the newest messages that reached people, newest first: from one account, to one phone, or all."""
        with self._lock:
            found = list(self._newest)
        for one in reversed(found):
            if (not address or one.address == address) and (not number or one.number == number):
                yield one

    def number_of(self, account: Account, user_id: str) -> str | None:
        """Return the phone whose owner has this id, if they ever came to us or need not."""
        messenger = self._messengers[account.channel]
        if messenger.reaches_all:
            return messenger.number_of(user_id)
        with self._lock:
            if self._known != len(self.opened):
                self._known = len(self.opened)
                self._numbers = {
                    (address, self._messengers[self.accounts[address].channel].id_of(number)): number
                    for number, address in self.opened
                    if address in self.accounts
                }
            return self._numbers.get((account.address, user_id))

    def _hear(self, account: Account, number: str, said: Callable[[], Told | None]) -> Answer | None:
        """Tell the product what somebody said, where the messenger tells it at all."""
        try:
            told = said()
        except CannotDeliver as error:
            self._conversations.add(number, "note", account.address, str(error), channel=account.channel)
            return None
        return None if told is None else self._tell(account, number, told)

    def _tell(self, account: Account, number: str, told: Told) -> Answer | None:
        try:
            answer = self._post(account, told)
        except CannotDeliver as error:
            self._conversations.add(number, "note", account.address, str(error), channel=account.channel)
            return None
        if answer is None:
            return None
        if not answer.taken:
            note = f"HTTP {answer.status}"
            self._conversations.add(number, "note", account.address, note, channel=account.channel)
        elif told.shown is not None and (text := told.shown(answer.body)):
            self._conversations.add(number, "in", account.address, text, channel=account.channel)
        return answer

    def _post(self, account: Account, told: Told) -> Answer | None:
        """Bring a webhook, or what goes over a connection; None where nobody wants it. May raise `CannotDeliver`."""
        if told.carry is not None:
            return told.carry()
        if not account.webhook_url:
            return None
        return self._wire.send(_address(account, told), told.body, told.headers, told.method)


def _address(account: Account, told: Told) -> str:
    return told.url or account.webhook_url + told.path + (f"?{urlencode(told.query)}" if told.query else "")

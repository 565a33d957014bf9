"""Messengers on the phones besides SMS: accounts of ours on them, who opened a chat, who blocked us.

Each messenger speaks its own wire protocol in a module of its own (`telegram_api`), which needs from here: where a
message of ours goes, and how what a person does is told to the product.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import RLock
from typing import Literal, Protocol
from urllib.parse import urlencode

from app.simulator.conversations import Conversations
from app.simulator.records import is_loopback
from app.simulator.wire import Answer, CannotDeliver, Wire

Fate = Literal["deliver", "no_chat", "blocked"]


class BadAccount(ValueError):
    """An account's description cannot be used; the text names the part that is wrong."""


@dataclass(frozen=True)
class Account:
    """Our account on one messenger: `address` is what people see, `settings` what the two sides share."""

    channel: str
    address: str
    webhook_url: str = ""
    name: str = ""
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Told:
    """A webhook: what to post, with which headers, to which place below the account's address and with which query."""

    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    path: str = ""


class Messenger(Protocol):
    """What a messenger's module knows: how its webhooks look, and by which id it knows a phone."""

    channel: str
    closes: bool
    """Whether people get rid of us by closing the chat, so that their next text opens a new one."""

    def id_of(self, number: str) -> str:
        """Return the id by which this messenger knows the owner of a phone."""

    def opened(self, account: Account, number: str, scene: str, known: bool) -> Told | None:
        """Return the webhook for whoever comes, perhaps by a code with a `scene`, and `known` were they here before.

        None: the messenger tells nobody.
        """

    def said(self, account: Account, number: str, text: str) -> Told:
        """Return the webhook for a text."""

    def blocked(self, account: Account, number: str, blocked: bool) -> Told | None:
        """Return the webhook for a block or its end; None where the messenger tells nobody."""


class Chats:
    """All accounts and chats. Safe to use from many threads."""

    def __init__(self, conversations: Conversations, wire: Wire, messengers: Mapping[str, Messenger]) -> None:
        self._conversations, self._wire, self._messengers = conversations, wire, messengers
        self._lock = RLock()
        self.accounts: dict[str, Account] = {}
        self.reset()

    def reset(self) -> None:
        """Forget chats, blocks and counts; keep the accounts."""
        with self._lock:
            self.opened: set[tuple[str, str]] = set()
            self._known, self._numbers = -1, dict[tuple[str, str], str]()
            self.blocks: set[tuple[str, str]] = set()
            self._counts: Counter[str] = Counter()
            self._copies: Counter[tuple[str, str, str]] = Counter()

    def put(self, account: Account) -> None:
        """Add an account, or replace the one of the same address. Raises `BadAccount`."""
        if account.channel not in self._messengers:
            known = ", ".join(sorted(self._messengers))
            raise BadAccount(f"channel: {account.channel!r} is not simulated; there are {known}")
        if account.webhook_url and not is_loopback(account.webhook_url):
            raise BadAccount(f"webhook_url: {account.webhook_url!r} is not on this machine")
        with self._lock:
            self.accounts[account.address] = account
            self._known = -1

    def all(self) -> tuple[Account, ...]:
        """Return the accounts in the order in which they were made."""
        with self._lock:
            return tuple(self.accounts.values())

    def deliver(self, account: Account, user_id: str, text: str) -> Fate:
        """Show a message of ours on the phone whose owner has this id, if they opened a chat and did not block us."""
        number = self.number_of(account, user_id)
        with self._lock:
            if number is None:
                return "no_chat"
            if (number, account.address) in self.blocks:
                return "blocked"
            self._counts["total"] += 1
            self._copies[account.address, user_id, text] += 1
        self._conversations.add(number, "in", account.address, text, channel=account.channel)
        return "deliver"

    def text(self, number: str, account: Account, text: str) -> Answer | None:
        """Somebody writes to us: opens the chat, and tells the product; None when the product was not reached."""
        messenger = self._messengers[account.channel]
        self.open(number, account)
        self._conversations.add(number, "out", account.address, text, channel=account.channel)
        return self._tell(account, number, messenger.said(account, number, text))

    def open(self, number: str, account: Account, scene: str = "") -> Answer | None:
        """Somebody comes to us; `scene` is what the code said that brought them, and is told each time."""
        with self._lock:
            known = (number, account.address) in self.opened
            self.opened.add((number, account.address))
        if known and not scene:
            return None
        told = self._messengers[account.channel].opened(account, number, scene, known)
        return None if told is None else self._tell(account, number, told)

    def report(self, account: Account, told: Told) -> None:
        """Tell the product what is about nobody in particular."""
        if account.webhook_url:
            with suppress(CannotDeliver):
                self._wire.send(_address(account, told), told.body, told.headers)

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

    def number_of(self, account: Account, user_id: str) -> str | None:
        """Return the phone whose owner has this id, if they ever came to us."""
        with self._lock:
            if self._known != len(self.opened):
                self._known = len(self.opened)
                self._numbers = {
                    (address, self._messengers[self.accounts[address].channel].id_of(number)): number
                    for number, address in self.opened
                    if address in self.accounts
                }
            return self._numbers.get((account.address, user_id))

    def _tell(self, account: Account, number: str, told: Told) -> Answer | None:
        if not account.webhook_url:
            return None
        try:
            answer = self._wire.send(_address(account, told), told.body, told.headers, told.method)
        except CannotDeliver as error:
            self._conversations.add(number, "note", account.address, str(error), channel=account.channel)
            return None
        if not answer.taken:
            note = f"HTTP {answer.status}"
            self._conversations.add(number, "note", account.address, note, channel=account.channel)
        return answer


def _address(account: Account, told: Told) -> str:
    return account.webhook_url + told.path + (f"?{urlencode(told.query)}" if told.query else "")


def read_account(data: Mapping[str, object]) -> Account:
    """Return the account that a JSON object describes. Raises `BadAccount`."""
    settings = data.get("settings", {})
    if not isinstance(settings, Mapping) or not all(isinstance(value, str) for value in settings.values()):
        raise BadAccount("settings: must be an object of texts")
    words = {name: data.get(name, "") for name in ("channel", "address", "webhook_url", "name")}
    for name, value in words.items():
        if not isinstance(value, str) or (name in ("channel", "address") and not value):
            raise BadAccount(f"{name}: must be a text")
    return Account(**{name: str(value) for name, value in words.items()}, settings=dict(settings))

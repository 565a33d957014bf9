"""What each messenger's module tells the phones: our account there, its webhooks, and by which id it knows people."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from app.simulator.wire import Answer


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
    """A webhook: what to post, with which headers, to which place below the account's address and with which query.

    `shown` reads the product's answer for the phone; None where the messenger shows nobody any answer. `url` is where
    it goes instead of the account's address, for a page of the product's. `carry` brings it over a connection that the
    product keeps to us, where there are no webhooks; it may raise `CannotDeliver`.
    """

    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    path: str = ""
    shown: Callable[[bytes], str] | None = None
    url: str = ""
    carry: Callable[[], Answer] | None = None


class Messenger(Protocol):
    """What a messenger's module knows: how its webhooks look, and by which id it knows a phone."""

    channel: str
    closes: bool = False
    """Whether people get rid of us by closing the chat, so that their next text opens a new one."""
    reaches_all: bool = False
    """Whether a message reaches people who never came to us, as an SMS does; then to write is not to come."""
    opens_by_a_press: bool = False
    """Whether people come by pressing a button, which lets us answer as their words do."""

    def id_of(self, number: str) -> str:
        """Return the id by which this messenger knows the owner of a phone."""

    def number_of(self, user_id: str) -> str:
        """Return the phone whose owner has this id, where everybody is reached; phones have numbers."""
        return user_id

    def opened(self, account: Account, number: str, scene: str, known: bool) -> Told | None:
        """Return the webhook for whoever comes, perhaps by a code with a `scene`, and `known` were they here before.

        None: the messenger tells nobody.
        """

    def said(self, account: Account, number: str, text: str) -> Told | None:
        """Return the webhook for a text; None where nobody hears it. May raise `CannotDeliver`."""

    def pressed(self, account: Account, number: str, label: str, value: str) -> Told | None:
        """Return the webhook for a pressed button; where there is none of its own, it is a text of what it carries."""
        return self.said(account, number, value)

    def blocked(self, account: Account, number: str, blocked: bool) -> Told | None:
        """Return the webhook for a block or its end; None where the messenger tells nobody."""

    def preferred(self, account: Account, number: str, wanted: bool) -> Told | None:
        """Return the webhook for the switch by which people end our news, or want them again; None without one."""
        return None

    def judged(self, account: Account, template: str, event: str, reason: str) -> Told | None:
        """Return the webhook for a template (`name:language`) that the platform took or approved; None without any."""
        return None


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

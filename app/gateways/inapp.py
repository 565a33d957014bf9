"""The inbox on a site's own pages: messages lie in our store until their reader comes by; no provider is involved.

A call has no address on the network: `app.services.inbox_store` carries it into the table, once for each delivery.
"""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from app.domain.buttons import Rich, limits_named
from app.domain.in_place import InPlace, changes_named
from app.domain.media.attached import Media
from app.domain.media.limits import media_of
from app.domain.messages import (
    Batch,
    DeliveryRef,
    ErrorKind,
    Outcome,
    PlatformSignal,
    ReceiptStatus,
    Recipient,
    SendError,
)
from app.gateways.base import BadSetting, Call, Capabilities, Proof, Reply, SettingSpec
from app.gateways.browsers import BrowserGateway
from app.gateways.common import by_status, by_text, for_all, json_of, without_answer
from app.gateways.uploads import file_name

MAX_TO: Final = 500
_ORIGIN: Final = re.compile(r"https://[a-z0-9.-]+(:\d{1,5})?|http://(127\.0\.0\.1|localhost)(:\d{1,5})?")
_GONE: Final = SendError(ErrorKind.GONE, "erased", "Nobody reads there any more.")
_MISSING: Final = SendError(ErrorKind.UNCHANGEABLE, "missing", "The message is in the store no more.")


class InAppGateway(BrowserGateway):
    """The inboxes of some sites. `origins` are those whose pages may show them."""

    name = "inapp"
    channel = "inapp"
    settings = (
        SettingSpec("secret", secret=True, example="left out, it is made by itself"),
        SettingSpec("origins", secret=False, example="https://www.example.org,https://m.example.org"),
    )

    def __init__(self, settings: Mapping[str, str], base_url: str | None = None) -> None:
        super().__init__(settings["secret"])
        self.origins: Final = frozenset(_origins(settings["origins"]))

    @classmethod
    def generated(cls) -> Mapping[str, str]:
        """The secret that readers' tokens are signed with."""
        return {"secret": secrets.token_hex(32)}

    @classmethod
    def check_settings(cls, settings: Mapping[str, str]) -> str:
        """Return the sender's address, the first origin; raises `BadSetting` naming what is missing or wrong."""
        cls.complete(settings)
        if len(settings["secret"]) < 32:
            raise BadSetting("secret has 32 characters at least; leave it out and one is made.")
        origins = _origins(settings["origins"])
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise BadSetting(
                    f"origins has “{origin}”, which is none: write https:// and the host, without a path. "
                    "Example: https://www.example.org"
                )
        return origins[0][:120]

    @classmethod
    def capabilities(cls) -> Capabilities:
        """As fast as the database; a message is stored for its reader, and delivered when it was read."""
        return Capabilities(
            channel=cls.channel,
            max_text=5000,
            text_unit="chars",
            max_batch=MAX_TO,
            buttons=limits_named(cls.name),
            changes=changes_named(cls.name),
            default_rate=2000.0,
            rate_unit="message",
            receipts=frozenset({ReceiptStatus.DELIVERED}),
            signals=frozenset({PlatformSignal.LEFT}),
            proof=Proof.STORED,
            idempotent=True,
            connection="store",
            media=media_of(cls.name),
        )

    def encode(self, batch: Batch) -> Sequence[Call]:
        """One statement for people of the same text, of whom all or none have a message that is changed."""
        return [_call(group, batch.media) for group in by_text(batch.recipients, MAX_TO)]

    def decode(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        """The store's yes has the id that the request has; it names who was erased, and whose message is no more.

        Of a message that was taken away there is no id.
        """
        if (error := without_answer(reply)) is not None:
            return for_all(call, error)
        body = json_of(reply.body)
        if reply.status != 201 or not isinstance(body.get("id"), str):
            return for_all(call, by_status(reply))
        errors = dict.fromkeys(_named(body, "gone"), _GONE) | dict.fromkeys(_named(body, "missing"), _MISSING)
        id_ = None if json_of(call.body).get("act") == InPlace.DELETE else body["id"]
        return [
            Outcome(ref, error=errors[str(ref)]) if str(ref) in errors else Outcome(ref, id_)
            for ref in call.refs
        ]


def stored(refs: Sequence[DeliveryRef], text: str) -> str:
    """Return the id of a request: the same people and the same text make the same."""
    return sha256(f"{' '.join(map(str, refs))} {text}".encode()).hexdigest()[:32]


def _call(people: Sequence[Recipient], media: Media | None) -> Call:
    refs, text = tuple(one.ref for one in people), people[0].text
    body: dict[str, Any] = {
        "id": stored(refs, text),
        "refs": [str(ref) for ref in refs],
        "text": text,
        **_buttons(people[0].rich),
        **_changed(people),
    }
    if media is not None:
        body["media"] = shown_of(media)
    return Call("POST", "", json.dumps(body).encode(), refs=refs)


def _changed(people: Sequence[Recipient]) -> dict[str, Any]:
    """What is done with the messages that these people have; nothing for people who get a message of their own."""
    stand = [one.replaces for one in people if one.replaces]
    return {"act": stand[0].act.value, "replaces": [str(one.ref) for one in stand]} if stand else {}


def _named(body: Mapping[str, Any], field: str) -> list[str]:
    found = body.get(field)
    return found if isinstance(found, list) else []


def _buttons(rich: Rich | None) -> dict[str, Any]:
    if rich is None or not rich.buttons:
        return {}
    found = [{"kind": one.kind.value, "label": one.label, "value": one.value} for one in rich.buttons]
    return {"buttons": found}


def shown_of(media: Media) -> dict[str, str]:
    """Return what a reader's page needs to show a file."""
    return {"url": media.url, "kind": media.kind.value, "alt": media.alt, "name": file_name(media)}


def _origins(listed: str) -> list[str]:
    return [one.strip().rstrip("/").lower() for one in listed.split(",") if one.strip()] or [""]

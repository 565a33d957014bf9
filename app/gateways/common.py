"""What gateways share: checking settings, reading replies as JSON, and what a reply means whoever the provider is."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Final
from urllib.parse import quote

from app.domain.addresses import BadAddress, parse_phone
from app.domain.messages import ErrorKind, HookReply, HookRequest, Outcome, Recipient, SendError
from app.domain.styled import typed
from app.gateways.base import BadSetting, BadSignature, Call, Malformed, Reply, SettingSpec
from app.gateways.code_tables import codes_of

TRIES_IF_UNLISTED = 2
"""A code that no table knows is taken for a passing fault, but not for long."""

_SHORT_CODE: Final = re.compile(r"\d{3,8}")

PERSONAL = frozenset(
    {
        ErrorKind.INVALID,
        ErrorKind.GONE,
        ErrorKind.BLOCKED,
        ErrorKind.OPTED_OUT,
        ErrorKind.WINDOW_CLOSED,
        ErrorKind.PREFERENCE_CAP,
        ErrorKind.PAIR_LIMITED,
    }
)
"""What is said of one person, and must not be believed of everybody who shared a request with them."""


class HttpGateway:
    """Defaults of a gateway that is called over HTTP. A subclass names itself and its settings."""

    name: ClassVar[str]
    channel: ClassVar[str]
    settings: ClassVar[tuple[SettingSpec, ...]]

    has_template = False
    usual_template = ""
    template_file = ""

    @classmethod
    def complete(cls, settings: Mapping[str, str]) -> None:
        """Raise `BadSetting` naming a setting that this gateway does not know, or one that it needs."""
        known = {spec.name: spec for spec in cls.settings}
        for name in settings:
            if name not in known:
                raise BadSetting(f"{name} is no setting of {cls.name}; it knows {', '.join(known)}.")
        for spec in cls.settings:
            if spec.required and not settings.get(spec.name):
                raise BadSetting(f"{spec.name} is missing. Give it with --set {spec.name}={spec.example}")

    @classmethod
    def generated(cls) -> Mapping[str, str]:
        """Nothing: the provider gives all settings out."""
        return {}

    def handshake(self, request: HookRequest) -> HookReply | None:
        """Say that there is nothing to read: this provider only posts."""
        return HookReply(405, body="The provider posts here; nothing can be read.\n")

    def takes(self, method: str, path: str) -> bool:
        """Nothing stands behind the address that a provider was given, and it knows two methods."""
        return not path and method in ("GET", "POST")

    def acknowledge(self, request: HookRequest) -> HookReply:
        """An empty 200: most providers look at nothing else."""
        return HookReply(200)

    def link(self, payload: str) -> str | None:
        """No address opens this sender."""
        return None

    def registration(self, hook: str) -> str | None:
        """Nothing but the webhook's address has to be known to the provider."""
        return None


def check_switch(settings: Mapping[str, str], name: str) -> None:
    """Raise `BadSetting` where a setting that is yes or no is neither; left out, it is no."""
    if settings.get(name, "no") not in ("yes", "no"):
        raise BadSetting(f"{name} is yes or no, and no when it is left out. Example: --set {name}=yes")


def number_of_ours(from_: str) -> str:
    """Return the number of an SMS sender, in E.164 or as a short code; raises `BadSetting`."""
    if _SHORT_CODE.fullmatch(from_.strip()):
        return from_.strip()
    try:
        return parse_phone(from_).value
    except BadAddress as error:
        raise BadSetting(f"from is no number that people can answer to: {error}") from error


def sms_link(number: str, words: str) -> str:
    """Return the address of a text to `number` that is written already; this spelling works on iOS and on Android."""
    return f"sms:{number}?&body={quote(words)}"


def without_answer(reply: Reply) -> SendError | None:
    """Return the error of a call that nobody answered, or that a machine between us and the provider did."""
    if reply.status == 0:
        kind = ErrorKind.UNKNOWN if reply.left else ErrorKind.TEMPORARY
        return SendError(kind, code=reply.reason)
    if reply.status in (502, 504):
        # Whether the provider took the message behind it, nobody can tell.
        return SendError(ErrorKind.UNKNOWN, str(reply.status))
    return None


def by_status(reply: Reply, detail: str = "") -> SendError:
    """Return what an HTTP status says where the body says nothing that we know."""
    code, wait = str(reply.status), seconds(reply.headers.get("retry-after"))
    if reply.status == 429:
        return SendError(ErrorKind.RATE_LIMITED, code, detail, wait or 1.0)
    if reply.status >= 500:
        return SendError(ErrorKind.TEMPORARY, code, detail, wait)
    if reply.status in (401, 403):
        return SendError(ErrorKind.AUTH, code, detail)
    if reply.status >= 400:
        return SendError(ErrorKind.TEMPORARY, code, detail, wait, tries=TRIES_IF_UNLISTED)
    return SendError(ErrorKind.UNKNOWN, code, "The reply is not the provider's; check --base-url.")


def for_all(call: Call, error: SendError | None, provider_id: str | None = None) -> Sequence[Outcome]:
    """Return the same outcome for everybody whom a call covers."""
    return [Outcome(ref, provider_id=None if error else provider_id, error=error) for ref in call.refs]


def for_group(call: Call, error: SendError) -> Sequence[Outcome]:
    """Return one error for everybody whom a call covers; where it is about one of them, nobody knows which."""
    if len(call.refs) > 1 and error.kind in PERSONAL:
        error = replace(error, kind=ErrorKind.TEMPORARY, tries=TRIES_IF_UNLISTED)
    return for_all(call, error)


def in_marks(people: Sequence[Recipient], *, opens_after_space: bool = False) -> list[Recipient]:
    """Return the people with the styles of their texts as marks in these, for apps that read marks (`styled.typed`)."""
    return [
        one
        if one.styles is None
        else one._replace(text=typed(one.words, opens_after_space=opens_after_space), styles=None)
        for one in people
    ]


def by_text(recipients: Sequence[Recipient], most: int) -> list[tuple[Recipient, ...]]:
    """Return the people who may share a request: of the same text, styles and buttons, at most `most`, in their order.

    Whoever has a message that is changed shares none with those who get one of their own.

    Nobody is left over alone where two could be: a request for many and one for a single person are not the same.
    """
    same: dict[tuple[object, ...], list[Recipient]] = {}
    for one in recipients:
        alike = (one.text, one.rich, one.replaces and one.replaces.act, one.styles)
        same.setdefault(alike, []).append(one)
    return [part for group in same.values() for part in _parts(tuple(group), most)]


def _parts(group: tuple[Recipient, ...], most: int) -> list[tuple[Recipient, ...]]:
    parts = [group[start : start + most] for start in range(0, len(group), most)]
    if len(parts) > 1 and len(parts[-1]) == 1 and most > 2:
        parts[-2:] = [parts[-2][:-1], (parts[-2][-1], *parts[-1])]
    return parts


def moment(timestamp: object, per_second: int = 1) -> datetime | None:
    """Return when a webhook says that something happened; `per_second` is 1000 where it counts milliseconds."""
    try:
        return datetime.fromtimestamp(float(str(timestamp)) / per_second, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def json_of(body: bytes) -> Mapping[str, Any]:
    """Return a JSON object, or an empty one when the body is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def posted_json(request: HookRequest) -> Mapping[str, Any]:
    """Return the JSON object that a webhook carries; raises `Malformed`."""
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is no JSON.") from error
    if not isinstance(found, dict):
        raise Malformed("The body is no JSON object.")
    return found


def seconds(value: object) -> float | None:
    """Return a number of seconds as a header or a field has it, or None."""
    try:
        return max(0.0, float(value)) if isinstance(value, (str, int, float)) and value != "" else None
    except ValueError:
        return None


def check_hmac(request: HookRequest, header: str, expected: str) -> None:
    """Raise `BadSignature` unless a header holds what we computed over the raw body with the sender's secret."""
    given = request.headers.get(header, "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise BadSignature(f"The {header} does not fit this body and this sender's secret.")


def hmac_sha256(secret: str, body: bytes) -> bytes:
    """Return the HMAC-SHA256 that LINE, Meta and Viber sign webhooks with."""
    return hmac.new(secret.encode(), body, hashlib.sha256).digest()


def by_code(gateway: str, code: str, detail: str = "", retry_after: float | None = None) -> SendError:
    """Return the error for a provider's code; one that the table lacks is a passing fault, tried twice."""
    kind = codes_of(gateway).get(code)
    if kind is None:
        return SendError(ErrorKind.TEMPORARY, code, detail[:300], retry_after, tries=TRIES_IF_UNLISTED)
    return SendError(kind, code, detail[:300], retry_after)

"""A provider's HTTP interface as data: how to ask, what the answer means, what its webhooks say.

The files lie beside this module, one a provider; `docs/integrators.md` explains every key. A file is checked when it
is read, so that a slip in one shows at the start and not in a broadcast.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from app.domain.messages import ErrorKind, ReceiptStatus
from app.gateways.base import SettingSpec
from app.gateways.http_sms.signed import Signature, signature_of
from app.gateways.http_sms.together import Together, together_of

FORMATS = ("form", "json", "query")
BODIES = ("form", "json", "text")


class BadDescription(ValueError):
    """A provider's file is wrong; the text names the file, the key and what may stand there."""


@dataclass(frozen=True)
class Ask:
    """How a message is handed over. `fields` may be nested; each text in it may hold `{to}`, `{text}`, `{ref}` ...

    There is no body in a query: a request without a body may be repeated by whatever lies between, ours never.
    `unicode` gives the values of `{encoding}` for texts in GSM 7 bit and for all others.
    """

    method: str
    path: str
    body: str
    fields: Mapping[str, Any] | str
    headers: Mapping[str, str] = field(default_factory=dict)
    basic: tuple[str, str] | None = None
    unicode: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Answer:
    """Where the answer has its id, code and words. `ok` is a path and the values that mean yes; None: any 2xx does.

    `pattern`: the answer is text, and this regular expression gives `id` or `code` and `detail` by name. `whole`: where
    the code stands when the request as a whole was refused, and no message has one of its own.
    """

    id: str
    code: str
    detail: str
    ok: tuple[str, frozenset[str]] | None
    pattern: str
    whole: str = ""


@dataclass(frozen=True)
class Hook:
    """Where a webhook has what. `when`: a path that must be there, or `path=value`; `each`: where its items are.

    `code_pattern`: a regular expression that finds `code` in what stands there; else the status is the code.
    """

    format: str
    when: str
    each: str | None
    paths: Mapping[str, str]
    statuses: Mapping[str, ReceiptStatus] = field(default_factory=dict)
    code_pattern: str = ""


@dataclass(frozen=True)
class Description:
    """One provider. `codes` maps what its answers and receipts say to the family of errors.

    `signature`: how it signs its webhooks, where it does; `app.gateways.http_sms.signed` checks it. `together`: how
    several people share a request, where they may.
    """

    name: str
    title: str
    source: str
    base_url: str
    rate: float
    settings: tuple[SettingSpec, ...]
    ask: Ask
    answer: Answer
    inbound: Hook
    receipt: Hook | None
    codes: Mapping[str, ErrorKind]
    acknowledges_with: str
    signature: Signature | None = None
    together: Together | None = None


@cache
def descriptions() -> Mapping[str, Description]:
    """Return every provider that has a file, by name."""
    folder = files("app.gateways.http_sms").joinpath("providers")
    found = [
        read(entry.name.removesuffix(".toml"), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    ]
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}


def read(name: str, text: str) -> Description:
    """Read one provider's file. Raises `BadDescription`."""
    try:
        data = tomllib.loads(text)
        return Description(
            name=name,
            title=data["title"],
            source=data["source"],
            base_url=data["base_url"],
            rate=float(data.get("rate", 1.0)),
            settings=_settings(data["settings"]),
            ask=_ask(data["request"]),
            answer=_answer(data["reply"]),
            inbound=_hook(data["inbound"], ("id", "from", "text")),
            receipt=_receipt(data.get("receipt")),
            codes=_codes(data.get("codes", {})),
            acknowledges_with=data.get("acknowledge", ""),
            signature=signature_of(data),
            together=together_of(data),
        )
    except KeyError as error:
        raise BadDescription(f"{name}.toml: the key {error} is missing.") from error
    except (ValueError, TypeError) as error:
        raise BadDescription(f"{name}.toml: {error}") from error


def _settings(found: Mapping[str, Mapping[str, Any]]) -> tuple[SettingSpec, ...]:
    own = tuple(
        SettingSpec(
            name,
            bool(one.get("secret", False)),
            str(one["example"]),
            bool(one.get("required", True)),
            str(one.get("help", "")),
        )
        for name, one in found.items()
    )
    secret = SettingSpec("hook_secret", secret=True, example="20 letters and digits that you make up")
    return (*own, secret)


def _ask(found: Mapping[str, Any]) -> Ask:
    if found["body"] not in BODIES:
        raise ValueError(f"request.body is {found['body']!r}; it may be {', '.join(BODIES)}.")
    basic = found.get("basic")
    return Ask(
        found["method"],
        found["path"],
        found["body"],
        found["fields"],
        found.get("headers", {}),
        (basic[0], basic[1]) if basic else None,
        tuple(found.get("unicode", ("", ""))),
    )


def _answer(found: Mapping[str, Any]) -> Answer:
    ok = found.get("ok")
    return Answer(
        found.get("id", ""),
        found.get("code", ""),
        found.get("detail", ""),
        (ok["path"], frozenset(map(str, ok["values"]))) if ok else None,
        found.get("pattern", ""),
        found.get("whole", ""),
    )


def _hook(found: Mapping[str, Any], needed: tuple[str, ...]) -> Hook:
    if found["format"] not in FORMATS:
        raise ValueError(f"format is {found['format']!r}; it may be {', '.join(FORMATS)}.")
    paths = {key: str(found[key]) for key in needed} | {
        key: str(found[key]) for key in ("code",) if key in found
    }
    statuses = {
        str(value): ReceiptStatus(status)
        for status, values in found.get("statuses", {}).items()
        for value in values
    }
    pattern = _pattern(found.get("code_pattern", ""))
    return Hook(found["format"], found["when"], found.get("each"), paths, statuses, pattern)


def _pattern(found: str) -> str:
    try:
        named = re.compile(found).groupindex
    except re.error as error:
        raise ValueError(f"code_pattern is no regular expression: {error}.") from error
    if found and "code" not in named:
        raise ValueError("code_pattern has no group (?P<code>...).")
    return found


def _receipt(found: Mapping[str, Any] | None) -> Hook | None:
    return _hook(found, ("id", "ref", "status")) if found else None


def _codes(found: Mapping[str, list[Any]]) -> Mapping[str, ErrorKind]:
    return {str(code): ErrorKind(kind) for kind, codes in found.items() for code in codes}

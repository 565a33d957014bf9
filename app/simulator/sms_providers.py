"""SMS providers with an HTTP interface, as data: their requests are read by the files that the product writes them by.

Those files (`app/gateways/http_sms/providers`) are opened as data, none of the product's code is used. What a provider
answers and tells stands in `sms_answers.toml`.
"""

import base64
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from flask import Request

from app.domain.parts import measure

_HERE: Final = Path(__file__).parent
_FILES: Final = _HERE.parent / "gateways" / "http_sms" / "providers"
_NAME: Final = re.compile(r"\{([a-z_]+)\}")


class Unreadable(ValueError):
    """A request is not as the provider's file describes it; the text says where."""


class Stranger(Exception):
    """A request is signed in as somebody else."""


@dataclass(frozen=True)
class Provider:
    """One provider: `asks` is its file's part about requests, `answers` its section of `sms_answers.toml`."""

    name: str
    title: str
    rate: float
    own: frozenset[str]
    asks: Mapping[str, Any]
    answers: Mapping[str, Any]
    formats: Mapping[str, str]
    words: Mapping[str, str]
    signature: Mapping[str, str]
    batch: Mapping[str, Any]

    @property
    def rule(self) -> str:
        """The path of its requests, as Flask writes it."""
        return _NAME.sub(r"<\1>", self.asks["path"])

    def read(self, request: Request, settings: Mapping[str, str]) -> list[dict[str, str]]:
        """Return `to`, `text`, `ref`, `callback` ... of each message of a request to this account, mostly of one.

        Raises `Stranger`, `Unreadable`.
        """
        signs = dict(self._signs(request))
        ours = {**settings, "from_digits": settings["from"].removeprefix("+")}
        if any(value != ours.get(name, "") for name, value in signs.items() if name in self.own):
            raise Stranger
        return [self._message(signs, one, ours) for one in self._apart(self._document(request))]

    def _message(self, signs: Mapping[str, str], document: object, ours: Mapping[str, str]) -> dict[str, str]:
        found = {**signs, **dict(_unfilled(self.asks["fields"], document, "body"))}
        wrong = [name for name, value in found.items() if name in ours and value != ours[name]]
        if self.own.intersection(wrong):
            raise Stranger
        if wrong:
            raise Unreadable(f"{wrong[0]}: {found[wrong[0]]!r} is not this account's")
        return self._checked(found)

    def _apart(self, document: object) -> list[object]:
        """Return a document for each message of a request that has several, where the provider takes that."""
        name = self.batch.get("list", "")
        several = document.get(name) if isinstance(document, Mapping) else None
        if not name or not isinstance(several, list) or not isinstance(document, Mapping):
            return [document]
        if not 0 < len(several) <= int(self.batch["most"]):
            raise Unreadable(f"body.{name}: must be a list of 1 to {self.batch['most']}")
        return [{**document, name: [one]} for one in several]

    def fill(self, part: str, **values: str) -> bytes:
        """Return an answer, or what a webhook carries, with the names filled in."""
        template = str(self.answers[part])
        plain = bool(self.answers.get("plain")) and part == "taken"
        given = values if plain else {name: json.dumps(value)[1:-1] for name, value in values.items()}
        return _NAME.sub(lambda found: given[found.group(1)], template).encode()

    def _signs(self, request: Request) -> Iterator[tuple[str, str]]:
        """What stands in the address and the headers: mostly who is signed in."""
        yield from (request.view_args or {}).items()
        for header, template in self.asks.get("headers", {}).items():
            yield from _unfilled(template, request.headers.get(header, ""), header, Stranger)
        if basic := self.asks.get("basic"):
            scheme, _, coded = request.headers.get("Authorization", "").partition(" ")
            user, _, password = base64.b64decode(coded or "Og==").decode().partition(":")
            if scheme != "Basic":
                raise Stranger
            yield from _unfilled(list(basic), [user, password], "Authorization")

    def _document(self, request: Request) -> object:
        kind, data = self.asks["body"], request.get_data()
        try:
            if kind == "json":
                return json.loads(data)
            text = data.decode()
        except ValueError as error:
            raise Unreadable(f"body: no {kind}") from error
        return dict(parse_qsl(text, keep_blank_values=True)) if kind == "form" else text

    def _checked(self, found: dict[str, str]) -> dict[str, str]:
        digits = found.get("to_digits") or found.get("to", "").removeprefix("+")
        if not re.fullmatch(r"[1-9][0-9]{6,14}", digits) or not found["text"]:
            raise Unreadable("to: a number and a text are needed")
        gsm = measure(found["text"]).encoding == "GSM-7"
        if "encoding" in found and found["encoding"] != self.asks["unicode"][0 if gsm else 1]:
            raise Unreadable("encoding: not that of the text, which would arrive as question marks")
        return found | {"to": f"+{digits}", "to_digits": digits}


@cache
def providers() -> Mapping[str, Provider]:
    """Return every provider that the simulator answers for, by name."""
    answers = tomllib.loads((_HERE / "sms_answers.toml").read_text(encoding="utf-8"))
    return {name: _provider(name, found) for name, found in answers.items()}


def _provider(name: str, answers: Mapping[str, Any]) -> Provider:
    file = tomllib.loads((_FILES / f"{name}.toml").read_text(encoding="utf-8"))
    receipt = file.get("receipt", {})
    words = {status: str(found[0]) for status, found in receipt.get("statuses", {}).items()}
    return Provider(
        name,
        file["title"],
        float(file["rate"]),
        frozenset(file["settings"]) - {"from"},
        file["request"],
        answers,
        {"message": file["inbound"]["format"], "report": receipt.get("format", "")},
        words | ({"failed": answers["failed"]} if "failed" in answers else {}),
        file.get("signature", {}),
        file.get("batch", {}),
    )


def _unfilled(
    template: Any, found: Any, where: str, wrong: type[Exception] = Unreadable
) -> Iterator[tuple[str, str]]:
    """Yield what stands where a template has names; the rest must be as the template has it."""
    if isinstance(template, Mapping):
        for key, part in template.items():
            value = found.get(key, "") if isinstance(found, Mapping) else None
            yield from _unfilled(part, value, f"{where}.{key}", wrong)
    elif isinstance(template, list):
        if not isinstance(found, list) or len(found) != len(template):
            raise wrong(f"{where}: must be a list of {len(template)}")
        for number, part in enumerate(template):
            yield from _unfilled(part, found[number], f"{where}.{number}", wrong)
    else:
        match = re.fullmatch(_pattern(str(template)), str(found), re.DOTALL) if found is not None else None
        if match is None:
            raise wrong(f"{where}: must be like {template}")
        yield from match.groupdict().items()


@cache
def _pattern(template: str) -> str:
    """Return a regular expression with a group for each name."""
    ends = [0, *(place for one in _NAME.finditer(template) for place in one.span()), len(template)]
    texts = [template[start:end] for start, end in pairwise(ends)]
    return "".join(
        f"(?P<{text[1:-1]}>.*)" if place % 2 else re.escape(text) for place, text in enumerate(texts)
    )

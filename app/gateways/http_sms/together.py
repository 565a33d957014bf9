"""Several people in one request, each with a text of their own and an answer of their own, where a provider takes that.

Everybody is found in the answer by their number. Whoever it does not name may have a message or not: unknown.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.domain.messages import ErrorKind, Outcome, SendError
from app.gateways.base import Call
from app.gateways.common import json_of
from app.gateways.paths import at, items

_PERSONAL: Final = re.compile(r"\{(to|to_digits|text|ref|callback|encoding)\}")
_MISSING: Final = SendError(
    ErrorKind.UNKNOWN, "not_named", "The answer to this request does not name this person."
)


@dataclass(frozen=True)
class Together:
    """`most` people stand in `list`, a field of the request, each with their number at `number`.

    `answers` leads to the list of results, and in each `answered` to the number.
    """

    most: int
    list: str
    number: str
    answers: str
    answered: str

    def body(self, filled: Sequence[Mapping[str, Any]]) -> bytes:
        """Return one document for people of whom each has a request of their own in `filled`."""
        return json.dumps({**filled[0], self.list: [one[self.list][0] for one in filled]}).encode()

    def outcomes(
        self, call: Call, answer: bytes, each: Callable[[Any, Mapping[str, Any]], Outcome]
    ) -> Sequence[Outcome] | None:
        """Return everybody's outcome, read by `each` from an answer as for one person; None for one without results."""
        found: dict[str, list[object]] = defaultdict(list)
        for one in items(json_of(answer), self.answers):
            found[_digits(at(one, self.answered))].append(one)
        if not found:
            return None
        numbers = [_digits(at(one, self.number)) for one in items(json_of(call.body), self.list)]
        return [
            each(ref, self._alone(found[number].pop(0))) if found[number] else Outcome(ref, error=_MISSING)
            for ref, number in zip(call.refs, numbers, strict=True)
        ]

    def _alone(self, result: object) -> Mapping[str, Any]:
        document: Any = [result]
        for step in reversed(self.answers.split(".")):
            document = {step: document}
        return document  # type: ignore[no-any-return]


def together_of(data: Mapping[str, Any]) -> Together | None:
    """Read `[batch]` of a provider's file. Raises `KeyError` for a missing key, `ValueError` for a wrong one."""
    found = data.get("batch")
    if found is None:
        return None
    request, reply = data["request"], data["reply"]
    one = Together(int(found["most"]), found["list"], found["number"], found["answers"], found["answered"])
    inside = request["fields"].get(one.list) if request["body"] == "json" else None
    if one.most < 2 or not isinstance(inside, list) or len(inside) != 1:
        raise ValueError(
            "batch.list must name a field of a JSON body with one item, and batch.most be 2 or more."
        )
    outside = [request["path"], request.get("headers", {}), {**request["fields"], one.list: []}]
    if named := _PERSONAL.search(json.dumps(outside)):
        raise ValueError(
            f"batch: {named[0]} stands outside of {one.list}, where it would be the same for everybody."
        )
    paths = [reply["id"], reply.get("code", ""), reply.get("detail", ""), reply.get("ok", {}).get("path", "")]
    if wrong := [path for path in paths if path and not path.startswith(f"{one.answers}.0.")]:
        raise ValueError(f"batch.answers is {one.answers!r}, but {wrong[0]!r} of reply does not lead there.")
    return one


def _digits(number: str) -> str:
    return number.removeprefix("+")

"""Short links of our own: which links a text has, how it reads with short ones, and the code of a person in them.

A short link is `begins` (such as `https://news.example.org/l/`), eight letters that name the link, and, only for
somebody who agreed to it, sixteen more that name the person: their number, and a tag that only we can make (RFC 2104,
cut to 48 bits: a wrong guess counts a click for somebody, and shows nothing).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hmac import compare_digest
from itertools import zip_longest
from string import ascii_letters, digits
from typing import Final

from app.domain.base64url import decode, encode
from app.domain.placeholders import Slot, Template
from app.domain.styles import CODES

PATH: Final = "/l/"
CODE_LENGTH: Final = 8
PERSON_LENGTH: Final = 16
LETTERS: Final = ascii_letters + digits
_NUMBER, _TAG = 6, 6
_CODE: Final = re.compile(rf"[A-Za-z0-9]{{{CODE_LENGTH}}}")
_PERSON: Final = re.compile(rf"[A-Za-z0-9_-]{{{PERSON_LENGTH}}}")
_LINK: Final = re.compile(rf"https://[^\s<>\"“”„‘’«»{{}}|\\^`{CODES}]+")
_NOT_THE_END: Final = ".,;:!?'…"


class Clicks(StrEnum):
    """What a list counts: nothing, how often a link is opened, or also by whom of those who agreed to that."""

    OFF = "off"
    LINKS = "links"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Counting:
    """How a broadcast counts: where its short links begin, and whether a person's code may stand in them."""

    begins: str
    people: bool

    @property
    def longest(self) -> str:
        """A short link as long as any that may go out; it leads nowhere."""
        return self.begins + "x" * (CODE_LENGTH + (PERSON_LENGTH if self.people else 0))


def links_in(template: Template) -> tuple[str, ...]:
    """Return the links of a text, each once, in their order.

    A link into which a placeholder is filled is none: where it leads differs from person to person.
    """
    found = [link for place in range(len(template.literals)) for _, link in _links(template, place)]
    return tuple(dict.fromkeys(found))


def with_short(template: Template, short: Mapping[str, str]) -> Template:
    """Return the text with `short[link]` in place of each link that is in there."""
    literals = [_replaced(template, place, short) for place in range(len(template.literals))]
    return Template(tuple(literals), template.slots)


def with_person(template: Template, addresses: Sequence[str], name: str) -> Template:
    """Return the text with a slot called `name` behind each of these short links; who has no code has none there."""
    behind = re.compile("|".join(f"(?<={re.escape(one)})" for one in addresses))
    literals: list[str] = []
    slots: list[Slot] = []
    for literal, slot in zip_longest(template.literals, template.slots):
        pieces = behind.split(literal)
        literals += pieces
        slots += [Slot(name, "")] * (len(pieces) - 1) + ([slot] if slot else [])
    return Template(tuple(literals), tuple(slots))


def person_code(subscriber_id: int, code: str, tag: Callable[[bytes], bytes]) -> str:
    """Return the letters that name a person behind the link `code`; `tag` signs bytes."""
    number = subscriber_id.to_bytes(_NUMBER, "big")
    return encode(number + tag(code.encode() + number)[:_TAG])


def read_path(path: str, tags: Callable[[bytes], list[bytes]]) -> tuple[str, int | None] | None:
    """Read what stands behind `/l/`: the link's code, and the person if we made theirs; None when it is no link.

    `tags` signs with each of our keys. Letters behind the code that we did not make name nobody, and the link holds.
    """
    code, person = path[:CODE_LENGTH], path[CODE_LENGTH:]
    if not _CODE.fullmatch(code):
        return None
    if not _PERSON.fullmatch(person):
        return code, None
    raw = decode(person)
    number, tag = raw[:_NUMBER], raw[_NUMBER:]
    ours = any(compare_digest(one[:_TAG], tag) for one in tags(code.encode() + number))
    return code, int.from_bytes(number, "big") if ours else None


def _links(template: Template, place: int) -> list[tuple[int, str]]:
    literal, last = template.literals[place], place == len(template.literals) - 1
    found = []
    for match in _LINK.finditer(literal):
        if match.end() == len(literal) and not last:
            continue  # a placeholder follows, and is part of the link
        if link := _trimmed(match[0]):
            found.append((match.start(), link))
    return found


def _replaced(template: Template, place: int, short: Mapping[str, str]) -> str:
    literal, pieces, at = template.literals[place], [], 0
    for start, link in _links(template, place):
        pieces += [literal[at:start], short.get(link, link)]
        at = start + len(link)
    return "".join((*pieces, literal[at:]))


def _trimmed(link: str) -> str:
    """A link without the marks of the sentence that it ends; "" when nothing is left but `https://`."""
    before = ""
    while link != before:
        before, link = link, link.rstrip(_NOT_THE_END)
        for opening, closing in ("()", "[]"):
            if link.endswith(closing) and link.count(closing) > link.count(opening):
                link = link[:-1]
    return link if len(link) > len("https://") else ""

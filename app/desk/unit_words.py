"""In which unit a message is counted and paid: parts of an SMS where the provider bills them, else messages."""

from app.desk.languages import gettext as _
from app.desk.languages import ngettext as n_
from app.desk.languages import number
from app.domain.parts import measure
from app.gateways.registry import GATEWAYS, gateway_class
from app.services.review_broadcasts import Review
from app.services.shares import Share, longest


def rate_unit(gateway: str) -> str:
    """`part`, `message` or `request`, as the gateway says; of one that is not known any more, `message`."""
    return gateway_class(gateway).capabilities().rate_unit if gateway in GATEWAYS else "message"


def in_parts(gateway: str) -> bool:
    """Tell whether this gateway's provider bills a text by its parts."""
    return rate_unit(gateway) == "part"


def units(count: int, gateway: str) -> str:
    """`3 parts`, or `3 messages` where a text has no parts."""
    if in_parts(gateway):
        return n_("%(n)s part", "%(n)s parts", count)
    return n_("%(n)s message", "%(n)s messages", count)


def pace_words(rate: float, gateway: str) -> str:
    """`1,000 parts a second`, in the unit that the gateway's pace is in."""
    one, many = {
        "part": (_("1 part a second"), _("%(n)s parts a second", n=number(rate))),
        "request": (_("1 request a second"), _("%(n)s requests a second", n=number(rate))),
    }.get(rate_unit(gateway), (_("1 message a second"), _("%(n)s messages a second", n=number(rate))))
    return one if rate == 1 else many


def cost_of(sheet: Review) -> str:
    """`1 part for each person, 3 parts in all (GSM-7), 2 messages on other channels`: what a dry run comes to."""
    by_part = _by_part(sheet)
    return _joined(sheet, by_part, _of_parts(by_part) if by_part else "")


def total_of(sheet: Review) -> str:
    """`3 parts (GSM-7), 2 messages on other channels`: the same, without what each person gets."""
    by_part = _by_part(sheet)
    said = n_("%(n)s part", "%(n)s parts", by_part.total_parts) if by_part else ""
    return _joined(sheet, by_part, f"{said} ({_encoding(by_part)})" if by_part else "")


def _by_part(sheet: Review) -> Share | None:
    return next((one for one in sheet.shares if in_parts(one.gateway)), None)


def _joined(sheet: Review, by_part: Share | None, said: str) -> str:
    others = sum(one.total_parts for one in sheet.shares if one is not by_part)
    messages = n_("%(n)s message", "%(n)s messages", others)
    if by_part is None:
        return messages
    return _("%(parts)s, %(messages)s on other channels", parts=said, messages=messages) if others else said


def _of_parts(share: Share) -> str:
    parts, most = _count(share.parts), _count(share.most_parts)
    total = _count(share.total_parts)
    said = (
        _("%(parts)s for most people and up to %(most)s for others, %(total)s in all",
          parts=parts, most=most, total=total)
        if share.most_parts > share.parts
        else _("%(parts)s for each person, %(total)s in all", parts=parts, total=total)
    )  # fmt: skip
    return f"{said} ({_encoding(share)})"


def _count(parts: int) -> str:
    return n_("%(n)s part", "%(n)s parts", parts)


def _encoding(share: Share) -> str:
    return measure(longest(share.sent or share.text) + share.tail).encoding

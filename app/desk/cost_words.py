"""What a text would come to while it is being written: its parts times the people, and money where prices are known."""

from collections.abc import Iterable, Sequence
from typing import Final

from app.desk.languages import gettext as _
from app.desk.languages import ngettext as n_
from app.desk.reading import further_senders, sender_of
from app.services.figures.sums import money
from app.storage.models import Sender

_SMS: Final = "sms"


def cost_words(list_ids: Sequence[int], people: int, parts: int) -> str:
    """`2,468 parts in all, 18.51 EUR`; "" for nobody, and where these lists' senders count neither parts nor money.

    Which of the people are on which channel would take too long on each press of a key: where lists have several, it
    is the most that it can be, with everybody on the dearest. The review says it exactly.
    """
    first, others = sender_of(list_ids), further_senders()
    if first is None or not people:
        return ""
    senders = [first, *(one for each in list_ids for one in others.get(each, ()))]
    channels = {one.channel for one in senders}
    total = ", ".join(
        filter(
            None,
            [
                n_("%(n)s part", "%(n)s parts", people * parts) if _SMS in channels else "",
                money(_dearest(senders, people, parts)),
            ],
        )
    )
    if not total:
        return ""
    return (
        _("at most %(total)s in all", total=total)
        if len(channels) > 1
        else _("%(total)s in all", total=total)
    )


def _dearest(senders: Iterable[Sender], people: int, parts: int) -> dict[str, int]:
    """Everybody on the dearest sender, in millionths; {} where no price is known, or not all in one currency."""
    prices = {
        (one.currency, people * one.price_micros * (parts if one.channel == _SMS else 1))
        for one in senders
        if one.price_micros is not None and one.currency
    }
    currencies = {currency for currency, _micros in prices}
    return {currencies.pop(): max(micros for _currency, micros in prices)} if len(currencies) == 1 else {}

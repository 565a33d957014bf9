"""What a text would come to while it is being written: its parts times the people, and money where prices are known."""

from collections.abc import Sequence

from app.desk.languages import gettext as _
from app.desk.languages import ngettext as n_
from app.desk.reading import further_senders, sender_of
from app.services.figures.sums import money

_SMS = "sms"


def cost_words(list_ids: Sequence[int], people: int, parts: int) -> str:
    """`2,468 parts in all, 18.51 EUR`; "" for nobody, and where no channel of these lists counts parts.

    Where some of the people may be on a channel that counts none, it is the most that it can be, and no sum of money.
    """
    sender = sender_of(list_ids)
    if sender is None or not people:
        return ""
    others = further_senders()
    further = {one.channel for each in list_ids for one in others.get(each, ())}
    channels = {sender.channel, *further}
    if _SMS not in channels:
        return ""
    total = n_("%(n)s part", "%(n)s parts", people * parts)
    if channels != {_SMS}:
        return _("at most %(total)s in all", total=total)
    price = sender.price_micros
    spent = money({sender.currency: people * parts * price}) if price is not None and sender.currency else ""
    said = _("%(total)s in all", total=total)
    return f"{said}, {spent}" if spent else said

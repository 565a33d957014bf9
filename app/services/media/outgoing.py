"""What a broadcast's file becomes on one sender: beside the text, a link or words at its end, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.channels import channel_named
from app.domain.media.attached import Media, instead_of
from app.domain.media.limits import Fit, fit, media_of, media_of_sender, rule_for
from app.domain.placeholders import read
from app.services.controller import Controller
from app.services.media.attach import Attached, attached_to, on_channel
from app.services.media.links import GOOD_FOR, link_to
from app.services.rich_messages import plain_dress, rich_of
from app.services.short_links import as_sent, counting_for, dressed_as_sent
from app.storage.models import Broadcast, Sender


@dataclass(frozen=True)
class Outgoing:
    """`fit` says whether the file goes beside the text; `tail` is what goes at the end of the text where not."""

    attached: Attached
    fit: Fit
    tail: str
    media: Media


def outgoing(
    session: Session,
    broadcast: Broadcast,
    sender: Sender,
    texts: Sequence[str],
    *,
    public_url: str,
    controller: Controller,
) -> Outgoing | None:
    """Return what a sender makes of the file that goes with a broadcast's `texts`; None where there is none.

    It goes beside them all or beside none: what is too long for one language stands at the end of every text.
    """
    found = on_channel(attached_to(session, broadcast.id), sender.channel)
    if found is None:
        return None
    until = (broadcast.expires_at or broadcast.updated_at) + GOOD_FOR
    counting = counting_for(session, broadcast.id)
    dress = dressed_as_sent(plain_dress(rich_of(session, broadcast.id, sender.channel), sender), counting)
    written = [
        dress.text(as_sent(text, counting, styled=broadcast.styled, gateway=sender.gateway)) for text in texts
    ]
    answer = fit_of_all(found, sender, written, own_template=dress.own_template)
    return _outgoing(found, answer, until, public_url, controller)


def _outgoing(
    found: Attached, answer: Fit, until: datetime, public_url: str, controller: Controller
) -> Outgoing:
    url = link_to(found.media_id, found.mime, until, public_url=public_url, controller=controller)
    instead = instead_of(found.otherwise, found.alt, url)
    media = Media(
        found.media_id,
        found.sha256,
        found.mime,
        found.size,
        found.name,
        found.alt,
        url,
        preview=f"{public_url}/public-static/preview.png",
        seconds=found.seconds,
        instead=instead,
    )
    return Outgoing(found, answer, "" if answer.misfit is None else instead, media)


def fit_of(found: Attached, sender: Sender, text: str, *, own_template: bool = False) -> Fit:
    """Tell whether a file goes beside a text, buttons in words included, from a sender.

    `own_template`: the broadcast names an approved text; what the sender's have room for, its own are taken to have.
    """
    template = sender.template_file if sender.has_template or own_template else None
    rules = media_of_sender(sender.gateway, sender.address, template=template)
    length = channel_named(sender.channel).length(read(text).render({}))
    return fit(found.mime, found.size, length, rules)


def fit_of_all(found: Attached, sender: Sender, texts: Sequence[str], *, own_template: bool = False) -> Fit:
    """Tell whether a file goes beside each of these texts: the first answer that is no, else that for the first."""
    answers = [fit_of(found, sender, text, own_template=own_template) for text in texts]
    return next((one for one in answers if one.misfit is not None), answers[0])


def instead_for(found: Outgoing, sender: Sender, address: str) -> str:
    """Return what goes at the very end of the text to one person, where the file does not get to their country."""
    rule = None if found.fit.misfit else rule_for(found.media.mime, media_of(sender.gateway))
    return "" if rule is None or rule.reaches(address) else found.media.instead

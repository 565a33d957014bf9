"""What a broadcast's file becomes on one sender: beside the text, a link or words at its end, or nothing."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.channels import channel_named
from app.domain.media.attached import Media, instead_of
from app.domain.media.limits import Fit, fit, media_of_sender
from app.domain.placeholders import read
from app.services.controller import Controller
from app.services.media.attach import Attached, attached_to, on_channel
from app.services.media.links import GOOD_FOR, link_to
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
    text: str,
    *,
    public_url: str,
    controller: Controller,
) -> Outgoing | None:
    """Return what a sender makes of the file that goes with `text`; None where there is none."""
    found = on_channel(attached_to(session, broadcast.id), sender.channel)
    if found is None:
        return None
    until = (broadcast.expires_at or broadcast.updated_at) + GOOD_FOR
    return _outgoing(found, sender, text, until, public_url, controller)


def _outgoing(
    found: Attached, sender: Sender, text: str, until: datetime, public_url: str, controller: Controller
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
    answer = fit_of(found, sender, text)
    return Outgoing(found, answer, "" if answer.misfit is None else instead, media)


def fit_of(found: Attached, sender: Sender, text: str) -> Fit:
    """Tell whether a file goes beside a text from a sender."""
    template = sender.template_file if sender.has_template else None
    rules = media_of_sender(sender.gateway, sender.address, template=template)
    length = channel_named(sender.channel).length(read(text).render({}))
    return fit(found.mime, found.size, length, rules)

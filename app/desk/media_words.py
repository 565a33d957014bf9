"""What editors read about a file before it goes: on each channel, who gets it, who gets what instead, and why."""

from collections.abc import Sequence
from typing import Final

from app.clock import utcnow
from app.desk.languages import gettext as _
from app.desk.languages import ngettext as _n
from app.desk.languages import number
from app.domain.channels import channel_named
from app.domain.media.attached import Otherwise
from app.domain.media.kinds import ending_of
from app.domain.media.limits import Misfit
from app.runtime import runtime
from app.services.media.attach import Attached
from app.services.media.forecast import forecast
from app.services.shares import Share

_MEGABYTE: Final = 1_000_000


def notes_of(shares: Sequence[Share]) -> list[str]:
    """Say of each channel what its people get of the file, and why not the file itself."""
    return [_note(one, one.media) for one in shares if one.media is not None]


def notes_of_draft(broadcast_id: int) -> list[str]:
    """Say the same of a draft as it is stored."""
    return notes_of(forecast(broadcast_id, public_url=runtime().settings.public_url, now=utcnow()))


def _note(share: Share, media: Attached) -> str:
    channel, people = channel_named(share.channel).name, share.reachable
    if share.fit.misfit is None:
        if share.elsewhere:
            return f"{_beside(channel, people - share.elsewhere)} {_consequence(media, share.elsewhere)}"
        return _beside(channel, people)
    return f"{_reason(share, media, channel)} {_consequence(media, people)}"


def _beside(channel: str, people: int) -> str:
    return _n(
        "%(channel)s: %(n)s person gets the file beside the text.",
        "%(channel)s: %(n)s people get the file beside the text.",
        people,
        channel=channel,
    )


def _reason(share: Share, media: Attached, channel: str) -> str:
    most = share.fit.most
    match share.fit.misfit:
        case Misfit.SIZE:
            return _(
                "%(channel)s: the file has %(size)s MB, and %(most)s MB are carried there.",
                channel=channel,
                size=number(round(media.size / _MEGABYTE, 1)),
                most=number(round(most / _MEGABYTE, 1)),
            )
        case Misfit.CAPTION:
            return _(
                "%(channel)s: a text beside a file may have %(n)s characters there, and this one has more.",
                channel=channel,
                n=number(most),
            )
        case Misfit.TYPE:
            return _(
                "%(channel)s: files of the type %(type)s are not carried there.",
                channel=channel,
                type=ending_of(media.mime).upper(),
            )
    return _("%(channel)s: this sender carries text only.", channel=channel)


def _consequence(media: Attached, people: int) -> str:
    match media.otherwise:
        case Otherwise.LINK:
            return _n(
                "%(n)s person gets a link to it below the text.",
                "%(n)s people get a link to it below the text.",
                people,
            )
        case Otherwise.WORDS if media.alt:
            return _n(
                "%(n)s person gets its description below the text.",
                "%(n)s people get its description below the text.",
                people,
            )
    return _n("%(n)s person gets the text alone.", "%(n)s people get the text alone.", people)

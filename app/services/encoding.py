"""Let a gateway write requests, and keep a text that it cannot write from holding up everybody else."""

from collections.abc import Iterator, Sequence

import structlog

from app.domain.media.attached import Media
from app.domain.messages import Batch, DeliveryRef, ErrorKind, Outcome, Recipient, SendError
from app.gateways.base import Call, Gateway

CANNOT_WRITE = "cannot_write"
"""The error code of a delivery whose text the gateway could not put into a request; the log has its words."""

log = structlog.get_logger(__name__)


def requests_for(
    gateway: Gateway, people: Sequence[Recipient], callback_url: str, media: Media | None
) -> Iterator[Call | Outcome]:
    """Return the requests for these people, and an outcome for each whose text cannot be written.

    Where that is so of all of several people, it is no fault of one text: the sender must rest, and nobody has failed.
    """
    together = _written(gateway, people, callback_url, media)
    if not isinstance(together, Outcome):
        yield from together
        return
    if len(people) == 1:
        yield together
        return
    alone = [_written(gateway, (one,), callback_url, media) for one in people]
    if not all(isinstance(written, Outcome) for written in alone):
        for written in alone:
            yield from (written,) if isinstance(written, Outcome) else written
        return
    yield from (one._replace(error=_closing(one)) for one in alone if isinstance(one, Outcome))


def _written(
    gateway: Gateway, people: Sequence[Recipient], callback_url: str, media: Media | None
) -> Sequence[Call] | Outcome:
    """Return the requests for these people, or what becomes of the first where there can be none."""
    try:
        return list(gateway.encode(Batch(tuple(people), callback_url, media)))
    except Exception as error:  # whatever it is, it is about these people and nobody else
        return _failed(people[0].ref, ErrorKind.CONTENT, error)


def _failed(ref: DeliveryRef, kind: ErrorKind, error: Exception) -> Outcome:
    # Not the exception's own words: they may hold the text, or a number.
    what = type(error).__name__
    log.error("a text could not be written", delivery=str(ref), error=what)
    return Outcome(ref, error=SendError(kind, CANNOT_WRITE, f"no request could be made of the text ({what})"))


def _closing(one: Outcome) -> SendError:
    detail = one.error.detail if one.error else ""
    return SendError(ErrorKind.CONFIG, CANNOT_WRITE, detail)

"""The files of a broadcast on the stage: told by the cast whom they get to, fetched by the stand-in provider alone."""

import contextlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Thread
from typing import Final

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from app.domain.media.attached import Media
from app.domain.media.limits import FITS, Fit, Misfit
from app.gateways.base import Gateway, Transport
from app.services.media.lane_media import LaneMedia, MediaHouse
from app.services.media.links import PATH
from app.services.media.outgoing import Outgoing
from app.services.rehearsal_extras import Part
from app.storage.models import Broadcast, Sender

_HOST: Final = "127.0.0.1"


@dataclass(frozen=True)
class Shelf:
    """Where the provider fetches files, on this machine; stand-ins in `beyond` get none."""

    url: str
    beyond: Collection[str] = frozenset()

    def url_of(self, media: Media) -> str:
        """Return the link to a file, signed as in service, in a form that leads here."""
        return self.url + PATH + media.url.rpartition("/")[2]

    def is_beyond(self, address: str) -> bool:
        """Tell whether this stand-in gets no file."""
        return address in self.beyond


class StageMedia(LaneMedia):
    """Files as in service, but that the cast says whether one goes beside the text: it has seen the true numbers."""

    def __init__(self, part: Part, gateway: Gateway, house: MediaHouse) -> None:
        super().__init__(part.sender_id, gateway, house, _no_upload)
        self._fit = FITS if part.beside else Fit(Misfit.CHANNEL)

    def _outgoing(
        self, session: Session, broadcast: Broadcast, sender: Sender, texts: Sequence[str]
    ) -> Outgoing | None:
        found = super()._outgoing(session, broadcast, sender, texts)
        if found is None:
            return None
        return replace(found, fit=self._fit, tail=found.media.instead if self._fit.misfit else "")


@contextlib.contextmanager
def shelf(app: Flask, beyond: Collection[str]) -> Iterator[Shelf]:
    """Open the product's own door for files on a free port of this machine, for the stage's links alone."""
    from app.public import security
    from app.public.media import media

    app.config["RATELIMIT_ENABLED"] = False
    security.init_security(app)
    app.register_blueprint(media)
    server = make_server(_HOST, 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Shelf(f"http://{_HOST}:{server.port}", frozenset(beyond))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _no_upload() -> Transport:
    """A stand-in is no uploader: what is brought to a platform in service is a link here."""
    raise NotImplementedError("Nothing is uploaded in a rehearsal.")

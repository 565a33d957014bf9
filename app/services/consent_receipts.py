"""Export one person's consent as records (ISO/IEC TS 27560) or receipts (Kantara), one for each list."""

from typing import Any, Final

from app.services.controller import Controller, Refused
from app.services.manage_subscribers import find_subscriber, read_address
from app.services.receipts import forms
from app.services.receipts.facts import Particulars, histories
from app.storage.database import db

FORMATS: Final = ("27560", "kantara")


def receipts(
    raw: str,
    *,
    form: str,
    channel: str = "sms",
    given: Particulars,
    controller: Controller,
) -> list[dict[str, Any]]:
    """Return the documents in one of `FORMATS`. Raises `Refused`, also when there is nothing to attest, `NotFound`."""
    session = db.session()
    subscriber = find_subscriber(session, read_address(raw, channel=channel, controller=controller))
    make = forms.iso27560 if form == "27560" else forms.kantara
    made = (make(history, controller, given) for history in histories(session, subscriber, controller))
    found = [document for document in made if document is not None]
    if not found:
        raise Refused("This person never consented to anything, so there is no receipt.")
    return found

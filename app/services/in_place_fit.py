"""Whether other words fit where the old ones stand: below a file there is less room than in a message of text."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.domain.channels import channel_named
from app.domain.in_place import InPlace, changes_named
from app.services.media.attach import attached_to, on_channel
from app.services.media.outgoing import fit_of, fit_of_all
from app.services.shares import Share, longest
from app.storage.models import Broadcast, Sender
from app.storage.variants import wording_of


def too_long_for_captions(session: Session, correction: Broadcast, shares: Sequence[Share]) -> list[str]:
    """Say on which channels the words of a correction are longer than what stands below the old message's file."""
    if correction.in_place != InPlace.EDIT:
        return []
    first = _first(session, correction)
    files = attached_to(session, first.id)
    found = []
    for share in shares:
        file, sender = on_channel(files, share.channel), session.get_one(Sender, share.sender_id)
        if file is None or not changes_named(sender.gateway).edits:
            continue
        if fit_of_all(file, sender, wording_of(session, first, share.channel).texts).misfit:
            continue  # it went as a link, and the message is one of text
        for sent in dict.fromkeys(one.sent for one in share.spoken):
            if (fits := fit_of(file, sender, sent)).misfit:
                channel = channel_named(share.channel)
                length = channel.length(longest(sent))
                found.append(f"On {channel.name} the text has {length} characters; it may have {fits.most}.")
    return found


def _first(session: Session, correction: Broadcast) -> Broadcast:
    """Return the broadcast whose messages stand on the phones, whatever changed their words since."""
    row = correction
    while row.in_place == InPlace.EDIT and row.corrects_id is not None:
        row = session.get_one(Broadcast, row.corrects_id)
    return row

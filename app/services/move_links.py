"""The personal links of a move to another channel: the same for one person whenever they are made."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import link_codes
from app.domain.link_codes import LinkCode
from app.services.controller import Controller
from app.storage.models import ChannelMove

CODES: Final = "link-code"
CODES_GOOD_FOR: Final = timedelta(days=30)
MARK: Final = "CODE-OF-THE-PERSON"
"""Stands in a link where the code goes: of letters that no address changes."""


def code_for(
    subscriber_id: int, list_id: int, *, move_id: int = 0, controller: Controller, since: datetime
) -> str:
    """Return a code to send to this subscriber and nobody else; it is good for thirty days from `since` on."""
    code = LinkCode(subscriber_id, list_id, move_id, since + CODES_GOOD_FOR)
    return link_codes.write(code, lambda body: controller.keys.tag(CODES, body))


def links_of(
    session: Session, broadcast_id: int, subscriber_ids: Iterable[int], controller: Controller
) -> Mapping[int, str]:
    """Return the link of each of these people, by subscriber id; nothing for a broadcast that asks nobody to move."""
    move = session.scalar(select(ChannelMove).where(ChannelMove.broadcast_id == broadcast_id))
    if move is None:
        return {}
    return {
        one: move.link.replace(
            MARK,
            code_for(one, move.list_id, move_id=move.id, controller=controller, since=move.created_at),
        )
        for one in subscriber_ids
    }

"""Links that open a list on a phone, one for each of its senders, with a tag of where the link hangs."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from app.domain.links import BadTag, payload_of
from app.gateways.base import Gateway
from app.services.controller import Controller, Refused
from app.services.gateways_of_senders import Registry, gateway_of
from app.services.manage_lists import find_list
from app.storage.database import db
from app.storage.models import Sender
from app.storage.ways import ways

Draw = Callable[[Gateway, str], str | None]


@dataclass(frozen=True)
class ListLink:
    """One link: `payload` is what it brings us, `link` what a phone opens."""

    channel: str
    sender: str
    payload: str
    link: str


def links_of_list(
    name: str,
    source: str = "",
    *,
    controller: Controller,
    registry: Registry,
    draw: Draw = lambda gateway, payload: None,
) -> list[ListLink]:
    """Return the links of a list by channel. Raises `NotFound`, or `Refused` for a tag that links cannot carry.

    `draw` asks the provider for a link where only it can make one.
    """
    row = find_list(db.session(), name)
    try:
        payload = payload_of(row.keyword, row.id, source)
    except BadTag as error:
        raise Refused(str(error)) from error
    found = []
    for channel, sender_ids in sorted(ways(db.session(), [row.id]).items()):
        sender = db.session.scalars(select(Sender).where(Sender.id.in_(sender_ids))).one()
        # By SMS the person sees and sends the words themselves, so it is the list's word and no more.
        carried = row.keyword.upper() if channel == "sms" else payload
        gateway = gateway_of(sender, controller, registry)
        link = gateway.link(carried) or draw(gateway, carried)
        if link is not None:
            found.append(ListLink(channel, sender.name, carried, link))
    return found

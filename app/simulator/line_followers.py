"""LINE's list of an account's friends: who came and did not block it, page by page.

An account whose settings have `verified` no is shown none, as LINE does with accounts that it has not verified.
"""

import re
from typing import Final

from flask import Blueprint, Response, request

from app.simulator.chats import Chats
from app.simulator.line_api import Refusal, account_asking, refused
from app.simulator.line_messenger import LineMessenger
from app.simulator.messengers import Account
from app.simulator.twilio_json import json_response

MOST: Final = 1000
_LIMIT: Final = re.compile(r"[1-9]\d{0,3}")


class LineFollowers:
    """`/v2/bot/followers/ids`."""

    def __init__(self, chats: Chats, messenger: LineMessenger) -> None:
        self._chats, self._messenger = chats, messenger

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        routes = Blueprint("line_followers", __name__, url_prefix="/v2/bot/followers")
        routes.add_url_rule("/ids", "ids", self.ids)
        routes.register_error_handler(Refusal, refused)
        return routes

    def ids(self) -> Response:
        """A page of ids, and where the next one begins: behind the last of this one."""
        account = account_asking(self._chats)
        if account.settings.get("verified") == "no":
            raise Refusal(403, "Access to this API is not available for your account")
        limit = request.args.get("limit", "300")
        if not _LIMIT.fullmatch(limit) or int(limit) > MOST:
            raise Refusal(400, f"limit must be between 1 and {MOST}", "limit")
        rest = [one for one in self._friends(account) if one > request.args.get("start", "")]
        page = rest[: int(limit)]
        more = {"next": page[-1]} if len(rest) > len(page) else {}
        return json_response({"userIds": page, **more})

    def _friends(self, account: Account) -> list[str]:
        here = (number for number, address in set(self._chats.opened) if address == account.address)
        return sorted(
            self._messenger.id_of(one) for one in here if not self._chats.is_blocked(one, account.address)
        )

"""LINE's list of friends of an account, a thousand at a time; only verified and premium accounts are shown theirs.

Source: github.com/line/line-openapi (messaging-api: followers/ids); developers.line.biz, "Get a list of users who added
your LINE Official Account as a friend". People who use LINE without a phone (Android, iOS) are not in it.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from app.gateways.base import Call, Reply
from app.gateways.common import json_of
from app.gateways.followers import CannotList, NotOffered, Page
from app.gateways.paths import at

AT_ONCE: Final = 1000


def call(url: str, headers: Mapping[str, str], start: str) -> Call:
    """Return the question; `url` is that of the bot."""
    query = urlencode({"limit": str(AT_ONCE)} | ({"start": start} if start else {}))
    return Call("GET", f"{url}/followers/ids?{query}", b"", headers)


def read(reply: Reply) -> Page:
    """Return a page; raises `NotOffered` where LINE shows the account no such list, `CannotList` for all else."""
    body = json_of(reply.body)
    words = at(body, "message")[:200]
    if reply.status == 403:
        raise NotOffered(f"LINE lists the followers of verified and premium accounts only ({words})")
    if reply.status != 200:
        raise CannotList(f"LINE answered {reply.status}: {words}")
    found, start = body.get("userIds"), body.get("next", "")
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise CannotList("LINE answered without userIds")
    if not isinstance(start, str):
        raise CannotList("LINE answered with a next that is no text")
    return Page(tuple(found), start)

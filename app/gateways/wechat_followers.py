"""WeChat's list of an account's followers, ten thousand at a time; verified accounts alone may ask for it.

Source: developers.weixin.qq.com, "Get the list of followers" (user/get). `next_openid` is the last one of a page, of
the last page too, behind which comes an empty one.
"""

from typing import Final
from urllib.parse import urlencode

from app.gateways.base import Call, Reply
from app.gateways.common import json_of
from app.gateways.followers import CannotList, NotOffered, Page
from app.gateways.paths import at

_NOT_GRANTED: Final = frozenset({"48001", "48003", "48004"})


def call(url: str, start: str) -> Call:
    """Return the question, without the token; `url` is that of the API."""
    query = f"?{urlencode({'next_openid': start})}" if start else ""
    return Call("GET", f"{url}/user/get{query}", b"")


def read(reply: Reply) -> Page:
    """Return a page; raises `NotOffered` where WeChat grants the account no such list, `CannotList` for all else."""
    body = json_of(reply.body)
    code, words = at(body, "errcode"), at(body, "errmsg")[:200]
    if code in _NOT_GRANTED:
        raise NotOffered(f"WeChat lists the followers of verified accounts only ({code} {words})")
    if reply.status != 200 or code not in ("", "0"):
        raise CannotList(f"WeChat answered {code or reply.status}: {words}")
    if not at(body, "count").isdecimal():
        raise CannotList("WeChat answered without a count of followers")
    data = body.get("data")
    found = data.get("openid", []) if isinstance(data, dict) else []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise CannotList("WeChat answered with followers that are no texts")
    if len(found) != int(at(body, "count")):
        raise CannotList("WeChat answered with another number of followers than it said")
    return Page(tuple(found), at(body, "next_openid") if found else "")

"""Lists of followers: read page by page to their end, or not at all."""

import json
from collections.abc import Sequence

import pytest

from app.gateways.base import Call, Reply, TokenUser
from app.gateways.followers import CannotList, ListsFollowers, NotOffered, Page, pages_of
from app.gateways.registry import build
from tests.gateways.samples.line import ADA, GRACE, JEAN, SETTINGS, failure
from tests.gateways.samples.wechat import SETTINGS as WECHAT


class Answers:
    """Gives these answers, one after another, the last again and again."""

    free, in_flight = 1, 0

    def __init__(self, *answers: Reply) -> None:
        self.answers, self.calls = list(answers), list[Call]()

    def submit(self, call: Call) -> None:
        self.calls.append(call)

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(self.calls[-1], answer)]

    def close(self) -> None:
        """Nothing is open."""


def line() -> ListsFollowers:
    gateway = build("line", SETTINGS, None)
    assert isinstance(gateway, ListsFollowers)
    return gateway


def page(*people: str, more: str = "") -> Reply:
    return Reply(200, json.dumps({"userIds": people} | ({"next": more} if more else {})).encode())


def read(*answers: Reply) -> tuple[list[tuple[str, ...]], Answers]:
    transport = Answers(*answers)
    return list(pages_of(line(), transport, lambda _: None)), transport


def test_a_list_is_read_until_no_page_follows() -> None:
    pages, transport = read(page(ADA, GRACE, more="a&b"), page(more="c"), page(JEAN))

    assert pages == [(ADA, GRACE), (), (JEAN,)]
    assert [call.url for call in transport.calls] == [
        "https://api.line.me/v2/bot/followers/ids?limit=1000",
        "https://api.line.me/v2/bot/followers/ids?limit=1000&start=a%26b",
        "https://api.line.me/v2/bot/followers/ids?limit=1000&start=c",
    ]
    assert {call.headers["Authorization"] for call in transport.calls} == {"Bearer a-channel-token"}


def test_what_passes_is_asked_again() -> None:
    pages, transport = read(failure(429, "slowly"), failure(503, "soon"), page(ADA))

    assert (pages, len(transport.calls)) == ([(ADA,)], 3)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Reply(0, reason="timeout"), "no answer"),
        (failure(401, "Authentication failed"), "LINE answered 401: Authentication failed"),
        (failure(500, "Internal server error"), "LINE answered 500"),
        (Reply(200, b"<html>a captive portal</html>"), "without userIds"),
        (Reply(200, b'{"userIds": [7]}'), "without userIds"),
        (Reply(200, b'{"userIds": [], "next": 7}'), "no text"),
    ],
)
def test_what_is_no_page_ends_the_reading(answer: Reply, words: str) -> None:
    with pytest.raises(CannotList, match=words) as found:
        read(page(ADA, more="b"), answer)

    assert not isinstance(found.value, NotOffered)


def test_a_list_that_leads_round_in_a_circle_has_no_end() -> None:
    with pytest.raises(CannotList, match="no end"):
        read(page(ADA, more="b"), page(GRACE, more="c"), page(JEAN, more="b"), page(ADA, more="c"))


def test_an_account_that_is_not_verified_is_shown_no_list() -> None:
    with pytest.raises(NotOffered, match=r"verified and premium accounts only \(Not available"):
        line().followers_of(failure(403, "Not available"))


def test_a_page_without_a_next_is_the_last() -> None:
    assert line().followers_of(page(ADA)) == Page((ADA,), "")


def wechat() -> ListsFollowers:
    gateway = build("wechat", WECHAT, None)
    assert isinstance(gateway, ListsFollowers)
    return gateway


def told(**body: object) -> Reply:
    return Reply(200, json.dumps(body).encode())


def test_wechats_list_ends_with_an_empty_page_and_its_calls_carry_the_token() -> None:
    first = told(total=2, count=2, data={"openid": ["o1", "o2"]}, next_openid="o2")
    transport = Answers(first, told(total=2, count=0, next_openid=""))

    pages = list(pages_of(wechat(), transport, lambda _: None))

    assert pages == [("o1", "o2"), ()]
    urls = [call.url.removeprefix("https://api.weixin.qq.com/cgi-bin") for call in transport.calls]
    assert urls == ["/user/get", "/user/get?next_openid=o2"]
    gateway = wechat()
    assert isinstance(gateway, TokenUser)
    carried = [gateway.with_token(call, "t&1").url.partition("/user/get")[2] for call in transport.calls]
    assert carried == ["?access_token=t%261", "?next_openid=o2&access_token=t%261"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (told(errcode=40001, errmsg="invalid credential"), "WeChat answered 40001: invalid credential"),
        (told(errcode=-1, errmsg="system error"), "WeChat answered -1"),
        (Reply(502, b"<html>a proxy</html>"), "WeChat answered 502"),
        (told(), "without a count"),
        (told(total=2, count=2, data={"openid": ["o1"]}, next_openid="o1"), "another number"),
        (told(total=1, count=1, data={"openid": [7]}, next_openid="7"), "no texts"),
    ],
)
def test_what_is_no_page_of_wechats_ends_the_reading(answer: Reply, words: str) -> None:
    with pytest.raises(CannotList, match=words) as found:
        wechat().followers_of(answer)

    assert not isinstance(found.value, NotOffered)


def test_wechat_shows_no_list_to_accounts_that_it_has_not_verified() -> None:
    with pytest.raises(NotOffered, match=r"verified accounts only \(48001 api unauthorized\)"):
        wechat().followers_of(told(errcode=48001, errmsg="api unauthorized"))

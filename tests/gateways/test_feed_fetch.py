"""A feed is fetched from public addresses alone, within limits, and not again when nothing changed."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from app.gateways.feed_fetch import LARGEST, Ask, Fetcher, FetchFailed, is_loopback
from tests.support.feed_site import FeedSite, Page, feed_site

fetch = Fetcher("https://tidings.example.org")


@pytest.fixture
def site() -> Iterator[FeedSite]:
    with feed_site() as running:
        yield running


def ask(site: FeedSite, path: str = "/feed.xml", **more: str) -> Ask:
    return Ask(site.url(path), loopback=True, **more)


def test_a_feed_is_fetched_as_a_plain_question_that_says_who_asks(site: FeedSite) -> None:
    site.pages["/feed.xml"] = Page(b"<rss/>", headers={"Content-Type": "text/xml", "Last-Modified": "today"})

    answer = fetch(ask(site))

    ((path, headers),) = site.asked
    assert (answer.body, answer.content_type, answer.last_modified) == (b"<rss/>", "text/xml", "today")
    assert (path, headers["user-agent"]) == ("/feed.xml", "Tidings (+https://tidings.example.org)")
    assert {"content-type", "content-length", "if-none-match"}.isdisjoint(headers)


def test_what_did_not_change_is_not_fetched_again(site: FeedSite) -> None:
    site.show("Bridge", etag='"7"')
    first = fetch(ask(site))

    again = fetch(ask(site, etag=first.etag, last_modified="today"))

    assert (first.etag, again.body) == ('"7"', None)
    assert site.asked[1][1]["if-modified-since"] == "today"


def test_redirects_are_followed_some_times(site: FeedSite) -> None:
    site.show("Bridge")
    site.pages["/old"] = Page(status=301, headers={"Location": "/older"})
    site.pages["/older"] = Page(status=307, headers={"Location": site.url()})
    site.pages["/ring"] = Page(status=302, headers={"Location": "/ring"})

    answer = fetch(ask(site, "/old"))

    assert answer.address == site.url()
    with pytest.raises(FetchFailed, match="redirects more than 4 times"):
        fetch(ask(site, "/ring"))


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("http://127.0.0.1:1/", "takes no connections"),
        ("http://10.0.0.1/feed", "does not lead to the public internet"),
        ("http://169.254.169.254/latest", "does not lead to the public internet"),
        ("ftp://news.example.org/feed", "redirects to an address without https"),
        ("file:///etc/passwd", "redirects to an address without https"),
        ("http://[::1", "redirects to no address"),
    ],
)
def test_each_redirect_is_looked_at(site: FeedSite, target: str, reason: str) -> None:
    site.pages["/old"] = Page(status=302, headers={"Location": target})

    with pytest.raises(FetchFailed, match=reason):
        fetch(ask(site, "/old"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_without_leave_this_machine_is_not_asked(site: FeedSite, host: str) -> None:
    with pytest.raises(FetchFailed, match="does not lead to the public internet"):
        fetch(Ask(f"http://{host}:{site.server_port}/feed.xml"))

    assert site.asked == []


def test_a_host_that_says_no_is_quoted_and_left_alone_as_long_as_it_wants(site: FeedSite) -> None:
    site.pages["/feed.xml"] = Page(status=429, headers={"Retry-After": "7200"})

    with pytest.raises(FetchFailed, match="answered 429") as told:
        fetch(ask(site))

    assert told.value.retry_after == timedelta(hours=2)


def test_an_answer_without_end_is_cut_off(site: FeedSite) -> None:
    site.pages["/feed.xml"] = Page(b"x" * (LARGEST + 1))

    with pytest.raises(FetchFailed, match="larger than 2 MB"):
        fetch(ask(site))


def test_only_numbers_of_this_machine_are_its_own() -> None:
    assert [is_loopback(host) for host in ("127.0.0.9", "::1", "localhost", "10.0.0.1")] == [
        True,
        True,
        False,
        False,
    ]

"""Feeds as they come from strangers: read strictly, in linear time, and worded without harm."""

import json
import re
import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.feeds.document import read_feed
from app.domain.feeds.items import MOST_ITEMS, BrokenFeed, FeedDocument, FeedItem
from app.domain.feeds.links import BadAddress, check_address, link_of
from app.domain.feeds.plain import plain
from app.domain.feeds.wording import TEMPLATE, BadTemplate, TooLong, check_template, word
from app.domain.parts import count_parts

HERE = "https://news.example.org/city/feed.xml"
ENTITIES = '<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def rss(*items: str, before: str = "") -> bytes:
    body = "".join(f"<item>{one}</item>" for one in items)
    return f'{before}<rss version="2.0"><channel><title>City</title>{body}</channel></rss>'.encode()


def atom(entry: str, base: str = "") -> bytes:
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {base}><title>City</title><entry>{entry}</entry></feed>'.encode()


def read(body: bytes, content_type: str = "application/xml") -> FeedDocument:
    return read_feed(body, content_type, HERE)


def item_of(body: bytes, content_type: str = "application/xml") -> FeedItem:
    (item,) = read(body, content_type).items
    return item


def test_an_item_of_rss_is_read_as_plain_text() -> None:
    found = item_of(
        rss(
            "<guid isPermaLink='false'>7</guid><title>Bridge &amp; tram</title><link> /b?x=1&amp;y={2} </link>"
            "<pubDate>Sat, 28 Nov 2026 07:30:00 +0100</pubDate>"
            "<description>&lt;p&gt;Open&lt;br&gt;again.&lt;script&gt;alert(1)&lt;/script&gt;&nbsp;Now&lt;/p&gt;</description>"
        )
    )

    assert found == FeedItem(
        "7",
        "Bridge & tram",
        "Open again. Now",
        "https://news.example.org/b?x=1&y=%7B2%7D",
        datetime(2026, 11, 28, 6, 30, tzinfo=UTC),
    )


def test_an_item_of_rss_without_a_link_takes_a_guid_that_is_one() -> None:
    found = item_of(rss("<guid>https://news.example.org/7</guid><title>Bridge</title>"))

    assert (found.identity, found.link, found.published) == (found.link, "https://news.example.org/7", None)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("<summary>a &lt; b &LT;i&GT; &AMP;&nbsp;c</summary>", "a < b <i> & c"),
        ('<summary type="html">a &lt;b&gt;b&lt;/b&gt;</summary>', "a b"),
        ('<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">a <b>b</b></div></content>', "a b"),
        ('<content type="image/png">aGVsbG8=</content>', ""),
    ],
)
def test_an_entry_of_atom_is_read_by_the_type_of_its_words(content: str, words: str) -> None:
    found = item_of(
        atom(
            "<id>urn:1</id><title>Bridge</title><published>2026-11-28T07:30:00Z</published>"
            f'<link rel="edit" href="no"/><link href="a/b"/>{content}',
            base='xml:base="https://cdn.example.org/x/"',
        )
    )

    assert found == FeedItem(
        "urn:1", "Bridge", words, "https://cdn.example.org/x/a/b", datetime(2026, 11, 28, 7, 30, tzinfo=UTC)
    )


def test_a_json_feed_is_read() -> None:
    found = item_of(
        b'{"version": "https://jsonfeed.org/version/1.1", "title": "City", "items": [null, {"id": 7, '
        b'"url": "/b", "content_html": "<p>Open", "date_published": "soon"}]}',
        "application/feed+json",
    )

    assert found == FeedItem("7", "", "Open", "https://news.example.org/b")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("\ufeffB".encode(), ""),
        ("\ufeffB".encode("utf-16-le"), "text/xml; charset=utf-8"),
        ("B".encode("utf-16-be"), ""),
        (b"B", "text/xml; charset=windows-1252"),
        (b"<?xml version='1.0' encoding='iso-8859-1'?>B", ""),
        (b"\n\n<?xml version='1.0' encoding='iso-8859-1'?>B", ""),
        (b"<?xml version='1.0' encoding='shift_jis'?>B", "text/xml; charset='utf-8'"),
    ],
)
def test_letters_are_read_in_the_character_set_that_counts(body: bytes, content_type: str) -> None:
    wide = body.find(b"\x00") >= 0
    charset = "utf-16-le" if body.startswith(b"\xff\xfe") else "utf-16-be" if wide else "utf-8"
    if b"iso" in body or "1252" in content_type:
        charset = "cp1252"
    document = rss("<guid>1</guid><title>Größe – “5 €”</title>").decode().encode(charset)

    assert item_of(body.replace("B".encode(charset), document, 1), content_type).title == "Größe – “5 €”"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "The answer is empty."),
        (b"<!DOCTYPE html><html><body>", "This is a web page and no feed"),
        (b"<?xml version='1.0'?>\n<html/>", "This is a web page and no feed"),
        (b"\n\n<rss><channel>\n<item></channel></rss>", "Line 4, column 9: the XML is broken (mismatched tag)."),
        (b"<rss/>", "The feed has no <channel>"),
        (b"<opml/>", "The document begins with <opml>"),
        (rss("<title>&none;</title>"), "the XML is broken (undefined entity"),
        (rss("<title>x</title>"), "None of the 1 items has an id or a link"),
        (b"<?xml version='1.0' encoding='zip'?><rss/>", "“zip”, which is no character set"),
        (rss("<title>\n</title>").replace(b"\n", b"\n\xfc"), "Line 2, byte 62: this is not UTF-8"),
        (b'{"items": [}', "Line 1, column 12: the JSON is broken (Expecting value)."),
        (b'{"items": []}', "This JSON is no feed"),
        (b'{"version": "https://jsonfeed.org/version/1", "items": 7}', "This JSON is no feed"),
    ],
)  # fmt: skip
def test_a_broken_feed_says_what_is_wrong_and_where(body: bytes, problem: str) -> None:
    with pytest.raises(BrokenFeed) as told:
        read(body)

    assert problem in str(told.value)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (rss("<title>&i;</title>", before=f"<!DOCTYPE rss [{ENTITIES}]>"), "declares a document type"),
        (
            rss("<title>&x;</title>", before='<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
            "declares a document type",
        ),
        (b"<rss><channel>" + b"<a>" * 60_000, "More than 100 elements"),
        (b"<rss><channel>" + b"<" * 200_000, "is broken"),
        (b"<rss><channel><title>" + b"&a" * 100_000, "is broken"),
        (b'{"a":' + b"[" * 200_000, "too many levels"),
        (b'{"a":' + b"1" * 200_000 + b"}", "a number without end"),
        (bytes(range(256)) * 800, "this is not UTF-8"),
    ],
    ids=["laughs", "file", "deep", "angles", "entities", "brackets", "digits", "bytes"],
)
def test_an_attack_ends_at_once(body: bytes, problem: str) -> None:
    began = time.perf_counter()

    with pytest.raises(BrokenFeed, match=problem):
        read(body)

    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("html", ["<a ", "<!--", "<![x", "<a href='", "<script>", "&#x", "<b>", "</"])
def test_pages_of_markup_that_never_ends_take_no_time(html: str) -> None:
    many = rss(
        *(
            f"<guid>{n}</guid><title>x</title><description><![CDATA[{html * 4000}]]></description>"
            for n in range(20)
        )
    )
    began = time.perf_counter()

    found = read(many)

    assert len(found.items) == 20
    assert time.perf_counter() - began < 2


@given(
    start=st.sampled_from(
        [b"", b"\xff\xfe", b"<?xml version='1.0' encoding='utf-16'?>", b'{"version":', b"<rss><channel>"]
    ),
    middle=st.binary(max_size=60)
    | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    content_type=st.text(max_size=40) | st.text(max_size=10).map(lambda name: f"text/xml; charset={name}"),
)
def test_whatever_comes_is_read_or_refused_in_words(start: bytes, middle: bytes, content_type: str) -> None:
    with suppress(BrokenFeed):
        assert read(start + middle, content_type).items == ()


@given(title=st.text(), summary=st.text(max_size=400), link=st.text(max_size=60), most=st.integers(1, 3))
def test_whatever_an_item_says_fits_its_parts_or_is_refused(
    title: str, summary: str, link: str, most: int
) -> None:
    row = {"id": "1", "title": title, "content_html": summary, "url": link}
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [row]}).encode()
    for item in read(body, "application/feed+json").items if title.strip() or summary.strip() else ():
        try:
            found = word(TEMPLATE, item, most)
        except TooLong:
            continue
        assert count_parts(found) <= most
        assert found.endswith(item.link)
        assert not re.search(r"[{}\x00-\x09\u202e]", found)


def test_an_item_without_words_is_left_out_and_says_nothing_of_the_feed() -> None:
    assert (
        read(rss("<guid>1</guid><title>\ud7c7</title>", "<guid>2</guid><title>News</title>")).items[0].title
        == "News"
    )
    assert read(rss("<guid>1</guid><title> </title>")).items == ()


def test_the_top_of_a_long_feed_is_read_and_each_item_once() -> None:
    found = read(rss(*(f"<guid>{n // 2}</guid><title>x</title>" for n in range(3 * MOST_ITEMS))))

    assert [one.identity for one in found.items] == [str(n) for n in range(MOST_ITEMS // 2)]


def test_items_are_the_same_by_their_identity_whatever_its_length() -> None:
    one, two = (FeedItem("x" * 5000, title, "", "") for title in ("Old", "New"))

    assert one.key == two.key
    assert len(one.key) == 64


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("a<b>b</b>c<br>d<p>e</p>f", "abc d e f"),
        ("1 < 2 &amp; 3 &lt;b&gt;", "1 < 2 & 3 <b>"),
        ("a<script>if (a < b) { '<p>' }</script>b<style>x", "a b"),
        ("a <!-- b <p> --> c <img src=x onerror=alert(1)> d <a href='", "a c d"),
        ("\u202eevil\u2066 \x00\u200bgood", "evil good"),
    ],
)  # fmt: skip
def test_html_becomes_the_words_that_a_reader_sees(html: str, words: str) -> None:
    assert plain(html) == words


@pytest.mark.parametrize(
    ("written", "link"),
    [
        ("../a b?q=ü#x", "https://news.example.org/a%20b?q=%C3%BC#x"),
        ("//cdn.example.org/a%20b", "https://cdn.example.org/a%20b"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("https://[::1", ""),
        ("", ""),
        ("/" + "a" * 2000, ""),
    ],
)
def test_a_link_is_made_whole_or_left_out(written: str, link: str) -> None:
    assert link_of(written, HERE) == link


@pytest.mark.parametrize(
    "address",
    [
        "http://news.example.org/feed", "news.example.org", "file:///etc/passwd", "https://", "https://a b/",
        "https://user:secret@news.example.org/", "https://x.example:99999/", "https://[::1", "gopher://x/",
    ],
)  # fmt: skip
def test_an_address_that_is_none_of_a_feed_is_refused(address: str) -> None:
    with pytest.raises(BadAddress):
        check_address(address)


def test_http_is_for_this_machine_alone() -> None:
    assert check_address(f" {HERE} ") == HERE
    assert check_address("http://127.0.0.1:8000/feed", loopback=True)


ITEM = FeedItem(
    "1", "Bridge open again", "Buses 4 and 11 take their usual way. " * 15, f"https://e.org/{'a' * 40}"
)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_long_summary_is_cut_at_a_word_and_the_link_is_whole(most: int) -> None:
    found = word(TEMPLATE, ITEM, most)

    title, summary, link = found.split("\n")
    assert count_parts(found) == most
    assert (title, link) == (ITEM.title, ITEM.link)
    assert summary.endswith("...")
    assert ITEM.summary.startswith(summary.removesuffix("..."))
    assert ITEM.summary[len(summary) - 3] in " ."


def test_what_fits_is_left_as_it_is_and_empty_lines_go() -> None:
    found = word(
        "{{title}}\n{{ summary }}\nMore: {{link}}\n\nReply STOP to leave.",
        FeedItem("1", "A", "", "https://e.org/"),
        1,
    )

    assert found == "A\nMore: https://e.org/\n\nReply STOP to leave."


def test_without_room_for_a_summary_the_title_is_cut() -> None:
    found = word(TEMPLATE, FeedItem("1", "word " * 60, "More.", "https://e.org/"), 1)

    assert found.endswith("word...\nhttps://e.org/")
    assert count_parts(found) == 1


def test_words_without_blanks_are_cut_too() -> None:
    found = word(TEMPLATE, FeedItem("1", "橋", "橋が再び開通しました" * 20, "https://e.org/"), 1)

    assert count_parts(found) == 1
    assert found.startswith("橋\n橋が再び")


def test_a_link_longer_than_the_message_is_refused() -> None:
    with pytest.raises(TooLong, match="need 2 parts; there may be 1"):
        word(TEMPLATE, FeedItem("1", "A", "", f"https://e.org/{'a' * 200}"), 1)


def test_an_item_cannot_smuggle_in_a_placeholder() -> None:
    found = word(TEMPLATE, FeedItem("1", "{{first_name|x}} {{link}}", "{{", "https://e.org/"), 1)

    assert found == "((first_name|x)) ((link))\n((\nhttps://e.org/"


@pytest.mark.parametrize(
    "template", ["News!", "{{title}} {{nonsense}}", "{{title}} {{first_name}}", "{{title}}" + "x" * 500]
)
def test_a_template_that_cannot_work_is_refused(template: str) -> None:
    with pytest.raises(BadTemplate):
        check_template(template)


def test_a_template_may_greet_people_by_name() -> None:
    check_template("{{first_name|Dear reader}}: {{title}} {{link}}")

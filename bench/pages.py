"""How long the server takes for each page of the desk, beside a year of a newsroom with a million people."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.clock import utcnow
from app.services.write_drafts import create_draft
from app.storage.database import db
from app.storage.models import BroadcastList
from bench import newsroom_year
from bench.desk_visitor import visitor
from bench.ground import ground
from bench.ours import TEXT
from bench.web import SHIPPED, web

TARGET_MS = 200.0
_TIMES = 5
_KEYWORD = "YEAR"
_WORDS = {
    "/broadcasts": "Broadcasts",
    "/broadcasts?tab=sent": "Broadcasts, sent",
    "/broadcasts/new": "Compose",
    "/broadcasts/{d}/edit": "Compose, a draft",
    "/broadcasts/{d}/when": "When",
    "/broadcasts/{d}/review?choice=now&zone=UTC": "Review: the gate asked about everybody",
    "/calendar": "Calendar",
    "/broadcasts/{b}": "Progress",
    "/broadcasts/{b}/report": "Report",
    "/broadcasts/{b}/report?status=failed": "Report, those who failed",
    "/broadcasts/{b}/correct": "Correct",
    "/board/{l}": "Today",
    "/lists": "Lists",
    "/lists/{l}": "One list",
    "/lists/{l}?days=365": "One list, a year",
    "/lists/{l}/notice": "Notice",
    "/lists/{l}/segments/new": "Segment",
    "/people": "People",
    "/people?q=7000000000": "People, searched for",
    "/people?status=active&list={l}": "People of a list",
    "/people?language=xx": "People, of whom none is like that",
    "/people?place=Nowhere": "People of a town",
    "/people?tag=poster-7": "People who came by a link",
    "/people/{p}": "One person",
    "/inbox": "Inbox",
    "/imports": "Imports",
    "/reports": "Reports",
    "/reports?days=365": "Reports, a year",
    "/reports?days=365&sheet=broadcasts": "Reports, a year of broadcasts",
    "/audit": "Audit",
    "/health-page": "Health",
    "/retention": "Retention",
    "/requests": "Requests for erasure",
    "/words": "Words",
    "/rules": "Rules",
    "/users": "People at the desk",
    "/tickers": "Live events",
    "/texts": "Saved texts",
}


@dataclass(frozen=True)
class Page:
    """One page: what it is, its address, milliseconds from request to last byte, and its size."""

    words: str
    path: str
    milliseconds: Sequence[float]
    kilobytes: float

    @property
    def median(self) -> float:
        """Of the visits after the first one."""
        return statistics.median(self.milliseconds[1:])


def run(database: str, people: int, broadcasts: int) -> list[Page]:
    """Fill a database (`SQLITE` or `POSTGRES`) and visit every page. Raises `RunFailed` where one is no page."""
    with ground(database, people=0) as on:
        with on.room.app.app_context():
            list_id = on.room.add_bot(on.account, keyword=_KEYWORD)
            sender_id = db.session.get_one(BroadcastList, list_id).sender_id
            year = newsroom_year.fill(list_id, sender_id, people=people, broadcasts=broadcasts)
            draft_id = create_draft(title="Next", text=TEXT, list_ids=[list_id], by="bench", now=utcnow())
            db.session.remove()
        log = on.directory / "web.log"
        with (
            web(SHIPPED, on.room.env, on.account.auth_token, on.guard, log) as (port, _, _),
            visitor(on.room, port) as desk,
        ):
            return [
                Page(words, path, [one for _, one in seen], len(seen[0][0]) / 1024)
                for path, words in _addresses(year, draft_id)
                for seen in [[desk.get(path) for _ in range(_TIMES)]]
            ]


def _addresses(year: newsroom_year.Year, draft_id: int) -> Iterator[tuple[str, str]]:
    for path, words in _WORDS.items():
        yield path.format(b=year.newest_id, d=draft_id, l=year.list_id, p=year.somebody_id), words


def as_markdown(found: dict[str, list[Page]], notes: Sequence[str]) -> str:
    """Return a row for each page, with the databases side by side."""
    head = "".join(f" {name}: median, first, most |" for name in found)
    lines = [f"| page |{head}", f"| --- |{' ---: |' * len(found)}"]
    for pages in zip(*found.values(), strict=True):
        cells = "".join(
            f" {one.median:,.0f}, {one.milliseconds[0]:,.0f}, {max(one.milliseconds):,.0f} ms |"
            for one in pages
        )
        lines.append(f"| {pages[0].words} |{cells}")
    return "\n".join([*lines, "", *(f"- {note}" for note in notes)])


def too_slow(found: dict[str, list[Page]]) -> list[str]:
    """Name the pages whose median is over the target."""
    return [
        f"{one.words} on {name}: {one.median:,.0f} ms"
        for name, pages in found.items()
        for one in pages
        if one.median > TARGET_MS
    ]

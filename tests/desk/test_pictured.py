"""Every page of the desk has a picture in the documentation, or a written reason why not."""

from typing import Final

from flask import Flask

from app.desk import ROOMS
from tests.browser.demo import ROOT
from tests.browser.pictures import SCENES, WIDE_ONLY

PICTURES: Final = {
    "account.show": "desk-account",
    "account.sign_in": "sign-in",
    "approvals.show": "desk-approval",
    "asking.show": "desk-ask",
    "audit.index": "desk-audit",
    "board.show": "desk-today",
    "broadcasts.index": "desk-broadcasts",
    "calendar.index": "desk-calendar",
    "clicks.show": "desk-clicks",
    "compose.edit": "desk-compose",
    "corrections.ask": "desk-correct",
    "feeds.index": "desk-feeds",
    "feeds.show": "desk-feed",
    "health_page.show": "desk-health",
    "held.index": "desk-held",
    "imports.new": "desk-import-new",
    "imports.show": "desk-import",
    "keys.show": "desk-keys",
    "list_page.poster": "desk-poster",
    "list_page.show": "desk-list",
    "lists.index": "desk-lists",
    "lists.new": "desk-list-new",
    "moves.ask": "desk-move",
    "notices.show": "desk-notice",
    "people.inbox": "desk-inbox",
    "people.index": "desk-people",
    "people.show": "desk-person",
    "progress.report": "desk-report",
    "progress.show": "desk-progress",
    "rehearsing.show": "desk-rehearsal",
    "reports.index": "desk-reports",
    "revocations.show": "desk-revocation",
    "rights.ask_erase": "desk-erase",
    "rights.kept": "desk-retention",
    "rights.requests": "desk-requests",
    "rules.index": "desk-rules",
    "rules.show": "desk-rule",
    "saved_texts.index": "desk-texts",
    "schedule.read": "desk-read",
    "schedule.review": "desk-review",
    "schedule.when": "desk-when",
    "segments.choose": "desk-who",
    "segments.edit": "desk-segment",
    "segments.index": "desk-segments",
    "templates.index": "desk-templates",
    "templates.show": "desk-template",
    "test_sends.addresses": "desk-testers",
    "texted_words.index": "desk-words",
    "tickers.index": "desk-tickers",
    "tickers.new": "desk-ticker-new",
    "tickers.show": "desk-ticker",
    "users.ask_role": "desk-role",
    "users.index": "desk-users",
    "versions.index": "desk-versions",
}
QUESTION: Final = "one question and one button, told about where the button before it is"
PART: Final = "part of a page that is pictured, renewed by itself"
FILE: Final = "a file to take along"
ELSEWHERE: Final = "leads on to a page that is pictured"
LIKE: Final = "the same form as a page that is pictured, for another thing"
WHY_NOT: Final = {
    "answers.download": FILE,
    "audit.as_csv": FILE,
    "board.index": ELSEWHERE,
    "broadcasts.ask_stop": QUESTION,
    "broadcasts.home": ELSEWHERE,
    "broadcasts.row": PART,
    "broadcasts.to_review": ELSEWHERE,
    "compose.new": LIKE,
    "corrections.count": PART,
    "imports.index": "a list of what the pictured pages show one by one",
    "imports.live": PART,
    "list_change.ask_close": QUESTION,
    "list_change.change": LIKE,
    "list_page.code": FILE,
    "moves.words": PART,
    "people.place": QUESTION,
    "progress.live": PART,
    "progress.report_csv": FILE,
    "rehearsing.live": PART,
    "reports.as_csv": FILE,
    "rights.record_of_processing": FILE,
    "saved_texts.edit": LIKE,
    "schedule.words": PART,
    "segments.new": LIKE,
    "tables.broadcasts": FILE,
    "tables.events": FILE,
    "tables.feeds": FILE,
    "tables.imports": FILE,
    "tables.lists": FILE,
    "tables.people": FILE,
    "tables.retention_periods": FILE,
    "tables.retention_rounds": FILE,
    "tables.versions": FILE,
    "templates.ask_keep": QUESTION,
    "templates.ask_remove": QUESTION,
    "test_sends.live": PART,
    "tickers.ask_end": QUESTION,
    "tickers.live": PART,
}


def pages(app: Flask) -> set[str]:
    rooms = {blueprint.name for blueprint in ROOMS}
    return {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] in rooms and "GET" in (rule.methods or ())
    }


def test_every_page_has_a_picture_or_a_reason(app: Flask) -> None:
    assert sorted(pages(app)) == sorted({*PICTURES, *WHY_NOT})
    assert not PICTURES.keys() & WHY_NOT.keys()


def test_every_one_of_these_pictures_is_taken_and_shown(app: Flask) -> None:
    shown = "".join(page.read_text("utf-8") for page in (ROOT / "docs").rglob("*.md"))
    shown += (ROOT / "README.md").read_text("utf-8")

    assert [scene for scene in PICTURES.values() if scene not in (*SCENES, *WIDE_ONLY)] == []
    assert [scene for scene in PICTURES.values() if f"images/{scene}.png" not in shown] == []

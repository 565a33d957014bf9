"""A desk that has been in use for a while: broadcasts in every state, people with a past, letters in the inbox."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from app.clock import utcnow
from app.demo.story import PHONE
from tests.browser.bridge import bridge
from tests.browser.demo import Demo, Editor
from tests.support.feed_site import feed_site

GRACE, JONAS = "+447700900118", "+493023125017"
READER = "+12055550117"
LATE_READERS = tuple(f"+121555501{index}" for index in range(90, 97))
"""Of the demo's thousand: one at the beginning, and some whose turn comes last."""
# Phones whose last digits make the simulated network fail: a number unknown to it, a handset that blocks.
UNKNOWN_NUMBER, BLOCKING = "+447700900202", "+447700900403"
TITLE = "Mill Street bridge open again"
HEADLINE = (
    "Good morning {{first_name|neighbour}}: Mill Street bridge opens again today at 7. "
    "Buses 4 and 11 take their usual way. Reply STOP to leave."
)
SECONDS = 90.0
LEAK = (
    "Riverside News: no water in [[street]] until [[hour]]. We are sorry. Reply STOP to leave.",
    "Riverside News: kein Wasser in [[street]] bis [[hour]]. Reply STOP to leave.",
)


@dataclass(frozen=True)
class Archive:
    """Paths of what is there."""

    draft: str
    waiting: str
    paused: str
    sent: str
    person: str
    import_checked: str
    feed: str
    rule: str
    segment: str
    ticker: str
    rehearsed: str
    template: str


def fill(demo: Demo) -> Archive:
    """Use the demo as a newsroom does, through its own doors."""
    editor = demo.visitor()
    receive_texts(demo)
    sent = editor.send(
        "School holidays: what is open", "Pools and libraries keep their usual hours next week."
    )
    until(lambda: is_finished(editor, sent), "the first broadcast to end")
    paused = editor.send("Water works on High Street", "No water on High Street from 10 to 12 today.")
    until(lambda: is_sending(editor, paused), "the second broadcast to begin")
    editor.submit(paused, "/pause")
    draft = draft_of(editor)
    for comment in ("Is it Mill Street or Mill Lane?", "Bus 11, too?"):
        editor.submit(f"{draft}/edit", "/comments", comment=comment)
    editor.submit(f"{draft}/edit", "/resolve")
    found = Archive(
        draft,
        waiting_of(editor),
        paused,
        sent,
        person_of(editor, PHONE),
        import_of(editor),
        feed_of(demo, editor),
        rule_of(editor),
        segment_of(editor, sent),
        ticker_of(demo, editor),
        rehearsed_of(editor),
        template_of(editor),
    )
    furnish_board(editor)
    ask_for_approval(demo, editor, draft)
    return found


def ask_for_approval(demo: Demo, editor: Editor, path: str) -> None:
    """Let the list ask for a second person, and put a draft before one."""
    demo.cli("lists", "approval", "City News", "on")
    editor.submit(f"{path}/review?choice=now&zone=UTC", "/approval/ask", choice="now", zone="UTC")
    demo.cli("lists", "approval", "City News", "off")  # others write to it, too


def receive_texts(demo: Demo) -> None:
    """People join and ask."""
    for phone in (PHONE, GRACE, UNKNOWN_NUMBER, BLOCKING):
        demo.text(phone, "START")
    demo.text(READER, "Does line 11 run on Sundays too?")
    demo.text(PHONE, "Does the bridge open for bicycles as well?")


def draft_of(editor: Editor) -> str:
    """Write the draft that is looked at most."""
    return editor.draft(TITLE, HEADLINE)


def save_texts(editor: Editor) -> None:
    """Two texts that are needed again and again."""
    for name, text in (
        ("Sign-off", "Your city desk. Reply STOP to leave."),
        ("Storm warning", "{{first_name|Neighbour}}, storm warning for tonight. Stay in if you can."),
    ):
        editor.submit("/texts", "name", name=name, text=text, list_id="")


def write_again(editor: Editor, path: str) -> None:
    """Save a draft with other words and then as it was, so that it has versions to look at."""
    for text in (HEADLINE.replace("at 7", "at 8"), HEADLINE):
        editor.submit(f"{path}/edit", "title", text=text, list_ids=editor.city_news, act="save")


def question_of(editor: Editor) -> str:
    """Write a draft with two answers, a way to a page and a way out; returns its path."""
    path = editor.draft("Cycle lane", "Shall the cycle lane on Mill Street stay?")
    rows = (
        ("Yes", "answer", ""),
        ("No", "answer", ""),
        ("See the plan", "link", "https://news.example.org/lane"),
        ("No more news", "STOP", ""),
    )
    fields = {
        f"button_{number}_{name}": value
        for number, row in enumerate(rows, start=1)
        for name, value in zip(("label", "does", "link"), row, strict=True)
    }
    editor.submit(f"{path}/edit", "title", **fields, list_ids=editor.city_news, rich="1", act="save")
    return path


def styled_of(editor: Editor) -> str:
    """Write a draft with words in each style; returns its path."""
    text = (
        "*Road works:* {{first_name|dear reader}}, Mill Street is closed ~on Monday~ on Tuesday, _perhaps_ longer.\n"
        "Reply STOP to leave."
    )
    return editor.draft("Mill Street", text)


def picture_of(editor: Editor) -> str:
    """Write a draft with a picture; returns its path."""
    path = editor.draft(TITLE, HEADLINE)
    words = {"media-alt": "The bridge in the morning, without fences", "text": HEADLINE}
    picture = {"media": ("bridge.png", bridge(), "image/png")}
    editor.submit(f"{path}/edit", "title", files=picture, list_ids=editor.city_news, act="save", **words)
    return path


def correction_of(editor: Editor, path: str) -> str:
    """Begin a correction; returns the path of its draft."""
    begun = editor.submit(f"{path}/correct", "/correct", act="correct")
    return re.sub(r".*(/broadcasts/\d+)/edit.*", r"\1", begun.url)


def waiting_of(editor: Editor) -> str:
    """Schedule a broadcast for tomorrow morning."""
    path = editor.draft("Market day", "The market is on the town hall square today, from 8 to 13 h.")
    editor.confirm(path, choice="at", day=tomorrow(), hour="07:30")
    return path


def rule_of(editor: Editor) -> str:
    """Let a broadcast repeat on two weekdays, and leave out its second date; returns the path of the rule."""
    path = editor.draft("Council this week", "The council meets tonight at six. Reply STOP to leave.")
    asked = {"choice": "repeat", "day": tomorrow(), "hour": "17:00", "zone": "Europe/Berlin", "every": "week"}
    form = {**asked, "interval": "1", "weekdays": ["1", "3"], "times": "12"}
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    begun = editor.submit(f"{path}/review?{query}&weekdays=1&weekdays=3", "/repeat", **form)
    second = re.findall(r'action="(/rules/\d+/dates/\w+/skip)"', begun.text)[1]
    rule = re.sub(r".*(/rules/\d+).*", r"\1", begun.url)
    editor.submit(rule, second)
    return rule


def segment_of(editor: Editor, missed: str) -> str:
    """Save a segment of those who missed a broadcast; returns the path of its page."""
    rows = {
        "test-0": "way",
        "of-0": ["text", "form"],
        "test-1": "received",
        "not-1": "1",
        "of-1": missed.rpartition("/")[2],
    }
    editor.submit("/lists/1/segments/new", "/new", name="Missed the holidays", act="save", **rows)
    return "/lists/1/segments/1"


def ticker_of(demo: Demo, editor: Editor) -> str:
    """Open an event that people join, and say three things on it; returns the path of its page."""
    promise = (
        "--purpose",
        "Results from the town hall as they come",
        "--farewell",
        "That was it. Good night.",
    )
    time_ = ("--end", f"{tomorrow()} 23:00", "--zone", "Europe/Berlin", "--sender", "city-desk")
    made = demo.cli("tickers", "create", "Election night", "--keyword", "VOTE", *promise, *time_)
    for phone in (PHONE, GRACE, *LATE_READERS):
        demo.text(phone, "VOTE")
    path = f"/ticker/{made['id']}"
    for count, line in enumerate(
        ("The polls are closed.", "First count: a tie at 48.9 %.", "All counted: Berg wins by 212 votes."), 1
    ):
        editor.submit(path, "token", text=line, act="send")
        until(partial(_has_reached_nine, editor, path, count), f"“{line}” to come")
    return path


def _has_reached_nine(editor: Editor, path: str, messages: int) -> bool:
    return editor.open(path).count("9 delivered") == messages


def rehearsed_of(editor: Editor) -> str:
    """Have a broadcast rehearsed; returns the path of its page."""
    path = editor.draft(
        "Flood warning", "The river is rising: leave Mill Street by nine. Reply STOP to leave."
    )
    editor.submit(f"{path}/rehearsal", "/rehearsal")
    until(lambda: "Nobody twice, nobody lost." in editor.open(f"{path}/rehearsal"), "the rehearsal to end")
    return f"{path}/rehearsal"


def fill_board(editor: Editor) -> None:
    """Three slots a day, and stories that wait for them."""
    editor.submit("/board/1", "times", times="00:10, 12:30, 23:50")
    add_stories(editor)


def add_stories(editor: Editor) -> None:
    """Three stories for the queue."""
    for title, text in (
        ("Pool", "The pool is open until ten tonight."),
        ("Tram line", "The council votes on the tram line at six."),
        ("Market", "The Saturday market moves to Church Square."),
    ):
        editor.submit("/board/1", "title", title=title, text=text)


def furnish_board(editor: Editor) -> None:
    """Slots, none of which comes while tests run, and a queue: one story is held, one waits for a yes to go at once."""
    local = utcnow().astimezone(ZoneInfo("Europe/Berlin"))
    times = ", ".join(f"{local + timedelta(hours=hours):%H:%M}" for hours in (-1, 3, 4))
    editor.submit("/board/1", "times", times=times)
    add_stories(editor)
    held, asked, _ = stories_of(editor, "/board/1")[-3:]
    editor.press("/board/1", f"{held}/hold")
    editor.submit("/board/1", f"{asked}/breaking", reason="The council votes an hour early")


def stories_of(editor: Editor, board: str) -> list[str]:
    """Return the paths of the stories that wait on a board, in their order."""
    return re.findall(rf'data-place="({board}/stories/\d+)/place"', editor.open(board))


def feed_of(demo: Demo, editor: Editor) -> str:
    """Have the list read a feed twice, the second time with news; returns the path of its page."""
    with feed_site() as site:
        site.show("Library closed on Monday", "Road works in Mill Street")
        words = ("--to", "queue", "--every", "15", "--parts", "1", "--loopback")
        number = demo.cli("feeds", "add", "CITY", site.url(), *words)["id"]
        editor.submit(f"/lists/1/feeds/{number}", "/read")
        path = f"/lists/1/feeds/{number}"
        until(lambda: "Library closed" in editor.open(path), "the feed to be read")
        site.show("Swimming lessons begin", "Library closed on Monday", "Road works in Mill Street")
        editor.submit(path, "/read")
        until(lambda: "Swimming lessons" in editor.open(path), "the new item to be read")
    return path


def import_of(editor: Editor) -> str:
    """Upload a file from a fair and have it checked: some new people, and one row of each fault; returns the path."""
    new = [f"+447700900{n};Rosa;Leeds" for n in range(810, 830)]
    faults = [f"{PHONE};Anna;Springfield", "1.20256E+10;Otto;", "+44 7700;Ned;Leeds", f"{new[0]}"]
    text = "\n".join(["Phone;First name;Town", *new, *faults])
    first = editor.submit(
        "/imports/new",
        "file",
        files={"file": ("fair.csv", text)},
        list_id=editor.city_news,
        encoding="utf-8",
    )
    path = re.sub(r".*(/imports/\d+).*", r"\1", first.url)
    editor.submit(
        path,
        "/check",
        **{
            "column-0": "address",
            "column-1": "first_name",
            "column-2": "city",
            "how": "join",
            "region": "US",
        },
        source="Paper form 2, town fair",
        day="2026-05-01",
        words="Yes, text me the news",
        by="Ines Roth",
        delimiter="",
    )
    until(lambda: "data-poll" not in editor.open(path), "the file to be checked")
    return path


def template_of(editor: Editor) -> str:
    """Keep a template with two gaps and words in German, once; returns the path of its page."""
    if not (found := _templates(editor)):
        path = editor.draft("Burst pipe", LEAK[0])
        editor.submit(
            f"{path}/edit", "title", text=LEAK[0], words_de=LEAK[1], list_ids=editor.city_news, act="save"
        )
        editor.submit(f"{path}/template", "name", name="Burst pipe")
        found = _templates(editor)
    return found[0]


def _templates(editor: Editor) -> list[str]:
    return re.findall(r'href="(/templates/\d+)"', editor.open("/templates"))


def tomorrow() -> str:
    """The next day in the zone that the demo's lists promise, as a form writes it."""
    return (utcnow().astimezone(ZoneInfo("Europe/Berlin")) + timedelta(days=1)).date().isoformat()


def person_of(editor: Editor, number: str) -> str:
    """Return the path of a person's page."""
    found = editor.open(f"/people?q=%2B{number.removeprefix('+')}")
    number_of = re.search(r'href="(/people/\d+)"', found)
    assert number_of, f"the desk finds nobody with the number {number}"
    return number_of.group(1)


def is_sending(editor: Editor, path: str) -> bool:
    """Whether a broadcast is going out."""
    return 'class="pill sending"' in editor.open(path)


def is_finished(editor: Editor, path: str) -> bool:
    """Whether everybody was reached and every receipt is there."""
    page = editor.open(path)
    return 'class="pill finished"' in page and "data-poll" not in page


def until(fact: Callable[[], bool], what: str) -> None:
    """Wait for something to become true; fails after `SECONDS`, saying what did not."""
    deadline = time.monotonic() + SECONDS
    while not fact():
        assert time.monotonic() < deadline, f"waited {SECONDS:g} s in vain for {what}"
        time.sleep(0.2)

"""Thousands of texts that people really wrote, posted as a provider does: no error, no STOP or START by a word."""

import http.client
import re
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import NullPool, create_engine, text
from twilio.request_validator import RequestValidator

from tests.chaos.conftest import RunningStack
from tests.chaos.people import EVERYBODY, NUMBERS
from tests.support.stack import ACCOUNT, NUMBER, SENDER, TOKEN, Stack, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

COLLECTION = Path(__file__).parents[1] / "data" / "sms-spam-collection.tsv"
# A hundred who are on the list, and a hundred strangers: a false STOP would show on the first, a false START on both.
PHONES = NUMBERS[:100] + [f"+141055501{last:02d}" for last in range(100)]
THREADS = 4
# The words that mean something as a whole message, by the standards that carriers publish; read without our matcher.
COMMANDS = re.compile(
    "stop|stopall|unsubscribe|cancel|end|quit|revoke|optout|start|yes|unstop|subscribe|help|info|stopp|aus|hilfe"
)

Post = dict[str, str]


def real_texts() -> list[str]:
    lines = COLLECTION.read_text(encoding="utf-8").rstrip("\n").split("\n")
    return [line.partition("\t")[2] for line in lines]


def as_posts(texts: Iterable[str]) -> list[Post]:
    return [
        {
            "MessageSid": f"SM{secrets.token_hex(16)}",
            "AccountSid": ACCOUNT,
            "From": PHONES[index % len(PHONES)],
            "To": NUMBER,
            "Body": text,
        }
        for index, text in enumerate(texts)
    ]


def replay(stack: Stack, posts: Sequence[Post]) -> Counter[int]:
    """Post all of them over a few connections that stay open; returns how often each HTTP status came back."""
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(lambda start: _post(stack, posts[start::THREADS]), range(THREADS)), Counter())


def _post(stack: Stack, posts: Sequence[Post]) -> Counter[int]:
    connection = http.client.HTTPConnection("127.0.0.1", stack.site.web_port, timeout=20)
    validator, statuses = RequestValidator(TOKEN), Counter[int]()
    for post in posts:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": validator.compute_signature(stack.site.hook, post),
        }
        connection.request("POST", f"/hooks/{SENDER}", urlencode(post), headers)
        answer = connection.getresponse()
        answer.read()
        statuses[answer.status] += 1
    connection.close()
    return statuses


def people_on_the_list(stack: Stack) -> int:
    return next(row["active"] for row in stack.site.cli("lists", "list") if row["name"] == EVERYBODY)


def readings(stack: Stack) -> Counter[tuple[str, str]]:
    """How often each tier of the matcher came to each outcome."""
    engine = create_engine(stack.site.database_url, poolclass=NullPool)
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT tier, outcome, count(*) FROM inbound_message GROUP BY tier, outcome")
        )
        return Counter({(tier, outcome): count for tier, outcome, count in rows})


def quiet(stack: Stack) -> int:
    """Wait until no more answers come; returns how many messages arrived."""
    before, now = -1, stack.provider.arrived()
    while before != now:
        time.sleep(2)
        before, now = now, stack.provider.arrived()
    return now


def test_real_talk_gives_no_error_and_no_stop_or_start_by_an_exact_word(running: RunningStack) -> None:
    """A seventh of the texts are advertisements, whose "To stop reply STOP" is rightly no talk of ours."""
    texts = real_texts()
    bare = [re.sub(r"[^a-z]", "", one.lower()) for one in texts]
    assert len(texts) == 5574
    assert [one for one, word in zip(texts, bare, strict=True) if COMMANDS.fullmatch(word)] == []
    stack = running("web", "worker", "replies", "clock")
    posts = as_posts(texts)

    first = replay(stack, posts)
    found, entries = readings(stack), stack.site.cli("consent", "verify")["count"]
    again = replay(stack, posts[:200])

    assert (first, again) == ({200: 5574}, {200: 200})
    assert (readings(stack), stack.site.cli("consent", "verify")["count"]) == (found, entries)
    outcomes = Counter[str]()
    for (tier, outcome), count in found.items():
        assert outcome not in {"STOP", "START", "START_LIST"}, f"{count} by the tier {tier}"
        outcomes[outcome] += count
    assert outcomes["NONE"] > 5574 * 0.98
    assert people_on_the_list(stack) >= len(NUMBERS) - outcomes["STOP_FUZZY"] - outcomes["WRONG_NUMBER"]
    # The last word is a real command, so that a silence is not that of a dead worker.
    answered = quiet(stack)
    assert stack.provider.text(PHONES[99], "HELP") == 200
    until(lambda: stack.provider.arrived() > answered, 20, "the answer to HELP")

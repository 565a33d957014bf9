"""Thousands of texts that people really wrote, posted as a provider does: none is taken for a STOP or a START."""

import http.client
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from tests.chaos.conftest import RunningStack
from tests.chaos.people import EVERYBODY, NUMBERS
from tests.support.stack import ACCOUNT, NUMBER, SENDER, TOKEN, Stack, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

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


def test_real_talk_is_kept_without_an_answer_and_changes_nobodys_consent(running: RunningStack) -> None:
    texts = real_texts()
    bare = [re.sub(r"[^a-z]", "", text.lower()) for text in texts]
    assert len(texts) == 5574
    assert [text for text, word in zip(texts, bare, strict=True) if COMMANDS.fullmatch(word)] == []
    stack = running("web", "worker", "replies", "clock")
    entries = stack.site.cli("consent", "verify")["count"]
    posts = as_posts(texts)

    first, again = replay(stack, posts), replay(stack, posts[:200])

    assert (first, again) == ({200: 5574}, {200: 200})
    assert people_on_the_list(stack) == len(NUMBERS)
    assert stack.site.cli("consent", "verify")["count"] == entries
    # The last word is a real command, so that the silence before it is not that of a dead worker.
    assert stack.provider.text(PHONES[0], "HELP") == 200
    until(stack.provider.arrived, 20, "the answer to HELP")
    assert stack.provider.stats()["total"] == 1

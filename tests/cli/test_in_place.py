"""`tidings broadcasts correct --in-place`: what it says of the phones, and what it refuses."""

import os
import sqlite3
from contextlib import closing

import pytest

from tests.cli.conftest import Shell

_GOT_IT = """
UPDATE broadcast SET state = 'finished', started_at = '2026-11-01 12:00:00.000000' WHERE id = 1;
INSERT INTO slice (broadcast_id, seq, sender_id, lo, hi, people, state, epoch) VALUES (1, 1, 1, 1, 2, 2, 'done', 1);
INSERT INTO delivery (broadcast_id, subscriber_id, inbound_id, slice, status, attempts, provider_id, updated_at)
SELECT 1, id, 0, 1, 2, 1, id, strftime('%Y-%m-%d %H:%M:%S.000000', 'now') FROM subscriber;
"""
_ON_TELEGRAM = """
UPDATE sender SET gateway = 'telegram', channel = 'telegram';
UPDATE subscriber SET channel = 'telegram';
"""


def write(script: str) -> None:
    """Let it have been so: nothing of ours reaches a provider from a test of commands."""
    with closing(sqlite3.connect(os.environ["DATABASE_URL"].removeprefix("sqlite:///"))) as database:
        database.executescript(script)


@pytest.fixture
def wrong(newsdesk: Shell) -> Shell:
    """Broadcast 1 went to two people."""
    newsdesk.ok("broadcasts", "create", "--title", "x", "--text", "It is open.", "--list", "NEWS")
    write(_GOT_IT)
    return newsdesk


def test_it_says_on_how_many_phones_and_needs_no_words_to_take_a_message_away(wrong: Shell) -> None:
    write(_ON_TELEGRAM)

    edited = wrong.ok("broadcasts", "correct", "1", "--in-place", "edit", "--text", "It is closed.")
    deleted = wrong.ok("broadcasts", "correct", "1", "--in-place", "delete")

    assert "The wrong message is changed where it stands on Telegram: 2; others: 0." in edited
    assert "The wrong message is taken away on Telegram: 2; others: 0." in deleted
    assert "Before it can go" not in deleted
    assert wrong.run("broadcasts", "correct", "1", "--in-place", "edit").exit_code == 2
    assert {one["id"]: one["in_place"] for one in wrong.json("broadcasts", "list")} == {
        1: None,
        2: "edit",
        3: "delete",
    }


def test_by_sms_nothing_is_changed_on_a_phone(wrong: Shell) -> None:
    refused = wrong.run("broadcasts", "correct", "1", "--in-place", "delete")

    assert refused.exit_code == 1
    assert "No channel of this broadcast can take a message away" in refused.output

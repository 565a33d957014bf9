"""What is said of a big list's life: the sink's faults fail it, a slow opening or a growing worker do not."""

from dataclasses import replace

import pytest

from bench.big_list import Imported, rows_for
from bench.million import Aftermath, Life, Start, Watch, finding
from bench.million_table import as_markdown

LIFE = Life(
    database="PostgreSQL 15",
    people=1_000_000,
    imported=Imported(rows=1_020_000, seconds=400.0, megabytes=118.0),
    start=Start(schedule_ms=2_000.0, opening_ms=40.0, first_ms=2_500.0, segment_ms=250.0),
    sending_seconds=80.0,
    settled_seconds=83.0,
    watch=Watch([5.0, 9.0, 6.0], [20.0, 70.0, 30.0], 80 * 1024, 120.0, 121.0),
    after=Aftermath(report_ms=900.0, csv_seconds=80.0, bytes_each=319.4),
    duplicates=0,
    lost=0,
    faults=(),
)


def test_the_table_tells_what_was_measured():
    table = as_markdown(LIFE, ["measured: today"])

    for line in (
        "| 1,000,000 people, PostgreSQL 15 | |",
        "| rows/s | 2,550 |",
        "| messages/s | 12,500 |",
        "| tally while it runs: median, longest | 6, 9 ms |",
        "| bytes in the database for each recipient | 319 |",
        "| duplicates, lost | 0, 0 |",
        "| verdict of the sink, fingerprint included | right |",
        "- measured: today",
    ):
        assert line in table.splitlines()


@pytest.mark.parametrize(
    ("life", "missed"),
    [
        (LIFE, ()),
        (replace(LIFE, start=replace(LIFE.start, opening_ms=409.0)), ("409 ms to open",)),
        (replace(LIFE, watch=replace(LIFE.watch, most_mb=140.0)), ("the worker grew by 20 MB",)),
    ],
)
def test_what_was_aimed_at_and_not_reached_is_said(life, missed):
    assert finding(life, judge_speed=True).missed == missed
    assert finding(life, judge_speed=False).missed == ()
    assert finding(life, judge_speed=True).faults == ()


def test_what_the_sink_says_fails_it():
    life = replace(LIFE, duplicates=1, faults=("1 messages were second copies",))

    assert finding(life, judge_speed=False).faults == life.faults
    assert "second copies" in as_markdown(life, [])


def test_as_many_people_are_left_as_were_asked_for():
    assert (rows_for(300), rows_for(1_000_000)) == (306, 1_020_000)

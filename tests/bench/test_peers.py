"""The table of peers, and what becomes of one that is not to be had."""

import sys
from pathlib import Path

import pytest

from bench import fetched, kannel_peer, peers
from bench.report import Report, Round, rewritten
from bench.running import ROOT, Run

OURS = "ours, SQLite"


def run(per_second: float) -> Run:
    return Run(messages=1000, seconds=1000 / per_second, cpu_seconds=0.1, memory_mb=50)


def report() -> Report:
    rounds = [
        Round(1000, 1000, {peers.KANNEL: run(kannel), OURS: run(ours)})
        for kannel, ours in ((100, 300), (50, 400), (90, 180))
    ]
    return Report({"ceiling": "wrk", "peers": "skipped: no Celery"}, rounds)


def test_ours_to_a_peer_is_the_median_of_the_ratios_inside_rounds() -> None:
    # The middle speeds alone would give 300 / 90.
    assert peers.times(report(), OURS) == {peers.KANNEL: pytest.approx(3.0)}
    assert peers.as_json(report(), OURS)["times_peers"] == {peers.KANNEL: pytest.approx(3.0)}


def test_the_table_goes_onto_the_page_and_says_who_was_left_out() -> None:
    table = peers.as_markdown(report(), OURS)

    assert "| Kannel | 1,000 | 50, 90, 100 | 3× | 0.09 | 100 | 50 |" in table
    assert "- peers: skipped: no Celery" in table
    assert table in rewritten((ROOT / "docs" / "performance.md").read_text(), "peers", table)


def test_a_machine_without_kannel_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kannel_peer, "FOLDER", tmp_path)

    assert "apt-get install kannel" in str(kannel_peer.missing())


def test_what_cannot_be_installed_is_told_with_the_last_words_of_the_command() -> None:
    with pytest.raises(fetched.NotInstalled, match="Celery cannot be installed: no network"):
        fetched.run_command([sys.executable, "-c", "import sys; sys.exit('first\\nno network')"], "Celery")

"""The table of one big list's life, for docs/performance.md."""

import statistics
from collections.abc import Sequence

from bench.million import Life
from bench.sparse_segment import PEOPLE


def as_markdown(life: Life, notes: Sequence[str]) -> str:
    """Return two columns, what was measured and what came out, and the notes below."""
    rows = [f"| {what} | {figure} |" for what, figure in _rows(life)]
    head = [f"| {life.people:,} people, {life.database} | |", "| --- | ---: |"]
    return "\n".join([*head, *rows, "", *(f"- {note}" for note in notes)])


def _rows(life: Life) -> list[tuple[str, str]]:
    imported, start, watch, after = life.imported, life.start, life.watch, life.after
    return [
        (f"import of {imported.rows:,} rows", f"{imported.seconds:,.0f} s"),
        ("rows/s", f"{imported.rows / imported.seconds:,.0f}"),
        ("MB of the import at most", f"{imported.megabytes:.0f}"),
        ("Send pressed: dry run and schedule", f"{start.schedule_ms:,.0f} ms"),
        ("opening: audience frozen, first slices cut, worker called", f"{start.opening_ms:,.0f} ms"),
        ("Send pressed until the first message", f"{start.first_ms:,.0f} ms"),
        (
            f"the same of a segment, the last {PEOPLE} ids of the list, its draft and dry run included",
            f"{start.segment_ms:,.0f} ms",
        ),
        ("first message until the last", f"{life.sending_seconds:,.1f} s"),
        ("messages/s", f"{life.per_second:,.0f}"),
        ("Send pressed until all outcomes are in SQL", f"{life.settled_seconds:,.1f} s"),
        ("MB of the worker (Pss): after a tenth, at most", f"{watch.early_mb:.0f}, {watch.most_mb:.0f}"),
        ("tally while it runs: median, longest", _spread(watch.tally_ms)),
        ("progress page while it runs: median, longest", _spread(watch.page_ms)),
        ("report page afterwards", f"{after.report_ms:,.0f} ms"),
        ("report as CSV, all rows", f"{after.csv_seconds:,.1f} s"),
        ("bytes in the database for each recipient", f"{after.bytes_each:,.0f}"),
        ("Redis at most, beyond what it had", f"{watch.redis_bytes / 1024:,.0f} KB"),
        ("duplicates, lost", f"{life.duplicates}, {life.lost}"),
        ("verdict of the sink, fingerprint included", "; ".join(life.faults) or "right"),
    ]


def _spread(milliseconds: Sequence[float]) -> str:
    return f"{statistics.median(milliseconds):,.0f}, {max(milliseconds):,.0f} ms"

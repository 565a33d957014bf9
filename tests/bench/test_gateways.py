"""The benchmark of gateways: every gateway over HTTP has a row, and what did not arrive makes it void."""

import pytest

from app.gateways.base import Call
from app.gateways.registry import GATEWAYS
from bench import gateways
from bench.gateway_table import Stretch, Turn, as_markdown, faults
from bench.report import rewritten
from bench.running import ROOT
from bench.sink import PYTHON_KIND


def stretch(messages: int, requests: int, *wrong: str) -> Stretch:
    return Stretch(messages, requests, seconds=2.0, cpu_seconds=0.001, faults=wrong)


def test_the_table_says_people_a_request_and_the_share_of_the_transport() -> None:
    table = as_markdown({"line": [Turn(stretch(1000, 2), stretch(8, 8))]}, "C, epoll")

    assert "| line | 500, 500, 500 | 1 | 500 | 1 | 0.25 |" in table
    assert table in rewritten((ROOT / "docs" / "performance.md").read_text(), "gateways", table)


def test_a_row_with_a_fault_says_void_and_nothing_else() -> None:
    found = {
        "line": [Turn(stretch(9, 9), stretch(9, 9)), Turn(stretch(9, 9, "one is missing"), stretch(9, 9))]
    }

    assert "| line | void | | | | |" in as_markdown(found, "C, epoll")
    assert faults(found) == ["line: one is missing"]


@pytest.mark.slow
@pytest.mark.parametrize("compiler", ["cc", "no-such-compiler"])
def test_a_short_round_of_every_gateway_counts(compiler: str) -> None:
    found, kind = gateways.run(gateways.Plan(1, 0.03, 0.01, compiler))

    http = {name for name, one in GATEWAYS.items() if one.capabilities().connection == "http"}
    assert faults(found) == []
    assert {name.partition(",")[0] for name in found} == http - {"http_sms", "wechat_subscription"}
    assert compiler == "cc" or kind == PYTHON_KIND


def test_what_was_sent_is_counted_as_the_sink_counts_it() -> None:
    sent = gateways.Sent()

    sent.add(Call("POST", "http://127.0.0.1:8001/send?to=1", b"four"))

    assert (sent.requests, sent.bytes) == (1, len("/send?to=1") + 4)

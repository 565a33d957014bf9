"""The engine, the desk and the commands ask what a channel can do, and never which gateway it is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.channels import CHANNELS, TELL_NO_DELIVERY
from app.domain.messages import ReceiptStatus
from app.gateways.registry import GATEWAYS

APP = Path(__file__).parents[2] / "app"
# The gateways know their names, and so do the simulator and the demo that play them.
ROOMS = (
    "api",
    "commands",
    "desk",
    "domain",
    "public",
    "services",
    "storage",
    "webhooks.py",
    "queue.py",
    "runtime.py",
)
# A channel may have its gateway's name; then only a comparison with something called gateway is one with the gateway.
ONLY_GATEWAYS = frozenset(GATEWAYS) - frozenset(CHANNELS)
IN_A_TEMPLATE = re.compile(r"gateway\w*\s*(==|!=|\bin\b|\bnot in\b)|(==|!=)\s*\w*\.?gateway\b")


def strings(node: ast.AST) -> set[str]:
    return {
        one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }


def called_gateway(node: ast.AST) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return "gateway" in name.lower()


def comparisons(source: str) -> Iterator[int]:
    """Yield the lines on which a gateway's name decides something."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            said = set[str]().union(*map(strings, sides))
            if said & ONLY_GATEWAYS or (said and any(map(called_gateway, sides))):
                yield node.lineno
        elif isinstance(node, ast.Match) and called_gateway(node.subject):
            yield node.lineno


def files(suffix: str) -> list[Path]:
    found: list[Path] = []
    for room in ROOMS:
        path = APP / room
        found += [path] if path.suffix == suffix else sorted(path.rglob(f"*{suffix}"))
    return [path for path in found if path.exists()]


def test_no_module_compares_the_name_of_a_gateway() -> None:
    modules = files(".py")
    found = [
        f"{path.relative_to(APP)}:{line}" for path in modules for line in comparisons(path.read_text("utf-8"))
    ]

    assert len(modules) > 100
    assert found == [], "ask capabilities() instead"


def test_no_page_compares_the_name_of_a_gateway() -> None:
    pages = files(".html")

    assert len(pages) > 20
    assert [path.name for path in pages if IN_A_TEMPLATE.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "source",
    [
        'if sender.gateway == "telegram": pass',
        'if name in ("twilio", "vonage"): pass',
        'there = gateway_name != "line"',
        'if "wechat_subscription" == kind: pass',
        "match sender.gateway:\n    case _: pass",
    ],
)
def test_such_a_comparison_would_be_found(source: str) -> None:
    assert list(comparisons(source)) == [1]


@pytest.mark.parametrize(
    "source",
    ['if person.channel == "telegram": pass', "if sender.gateway == other.gateway: pass", 'x = "twilio"'],
)
def test_what_is_no_comparison_with_a_name_passes(source: str) -> None:
    assert list(comparisons(source)) == []


def test_gateways_without_receipts_of_delivery_are_known_to_the_figures() -> None:
    silent = {
        name for name, one in GATEWAYS.items() if ReceiptStatus.DELIVERED not in one.capabilities().receipts
    }

    assert silent == TELL_NO_DELIVERY

"""The gateway in the guide for integrators keeps the contract, and is as short as the guide says."""

import json
import re
from inspect import signature
from pathlib import Path
from types import ModuleType

import pytest

from app.domain.messages import ErrorKind, HookRequest, ReceiptStatus
from app.gateways.base import Reply
from app.gateways.common import hmac_sha256
from app.gateways.registry import GATEWAYS
from tests.gateways import test_contract as contract
from tests.gateways.sample import REF, Sample, post

GUIDE = Path(__file__).parents[2] / "docs" / "integrators.md"
KEY = "an-acme-key-of-tests"


def code() -> str:
    (found,) = re.findall(r'```python\n("""Acme SMS.*?)```', GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    return found


def hook(key: str = KEY, **body: str) -> HookRequest:
    raw = json.dumps(body).encode()
    return post(raw, {"x-acme-signature": hmac_sha256(key, raw).hex()})


def refused(status: int, error: str) -> Reply:
    return Reply(status, json.dumps({"error": error}).encode())


STOP = {"id": "in1", "from": "+12025550123", "text": "STOP"}
ACME = Sample(
    name="acme",
    settings={"key": KEY, "from": "+12025550100"},
    sender="+12025550100",
    wrong_settings=[({"from": "news"}, "answer to")],
    addresses=["+12025550123", "+12025550124", "+447700900123"],
    accepted=lambda count: Reply(200, b'{"id": "out1"}'),
    provider_id="out1",
    failures=[
        (refused(400, "no_such_number"), ErrorKind.INVALID),
        (refused(400, "opted_out"), ErrorKind.OPTED_OUT),
        (refused(400, "bad_sender"), ErrorKind.CONFIG),
        (refused(400, "new"), ErrorKind.TEMPORARY),
        (Reply(429), ErrorKind.RATE_LIMITED),
        (Reply(401), ErrorKind.AUTH),
        (Reply(200, b"<html>"), ErrorKind.UNKNOWN),
    ],
    stop=hook(**STOP),
    tampered=hook("another-key", **STOP),
    malformed=[hook(id="x"), hook(id="x", tag="1.2", status="delivered"), post(b"[]", {})],
    receipts={
        ReceiptStatus.DELIVERED: hook(id="out1", tag=REF, status="delivered"),
        ReceiptStatus.FAILED: hook(id="out1", tag=REF, status="failed"),
    },
)
CLAUSES = [
    clause
    for name, clause in vars(contract).items()
    if name.startswith("test_")
    and not hasattr(clause, "hypothesis")
    and list(signature(clause).parameters) == ["sample"]  # the others are for what the example does not offer
]


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
def test_the_example_keeps_the_contract(clause, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("acme")
    exec(compile(code(), str(GUIDE), "exec"), vars(module))  # noqa: S102  # our own guide
    monkeypatch.setitem(GATEWAYS, "acme", module.AcmeGateway)

    clause(ACME)


def test_a_whole_gateway_has_under_eighty_lines_as_it_is_printed() -> None:
    assert 40 < len(code().splitlines()) < 80
    assert max(map(len, code().splitlines())) <= 110
    assert len(CLAUSES) > 10

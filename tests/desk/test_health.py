"""The page on health, and the switch that stops all sending."""

import ast
from collections.abc import Callable
from pathlib import Path

from app.desk.health_words import CHECKS
from app.desk.refusals import is_known
from app.runtime import runtime
from app.services import allowance_health, check_health, follower_health
from app.services.manage_senders import pause
from app.storage.models.accounts import Role
from app.throttle import KEY_PREFIX
from tests.desk.conftest import House, Visitor, words


def test_every_check_is_there_with_what_to_do_and_the_state_of_each_sender(admin: Visitor) -> None:
    page = words(admin.get("/health-page"))

    assert "Something does not work." in page
    assert "Clock does not work no sign of life Start it: python -m workers clock" in page
    assert "city-desk SMS (twilio) Sending on 0 people, 0 answers" in page


def test_it_speaks_german(visit: Callable[..., Visitor]) -> None:
    page = words(visit(Role.ADMIN, "de").get("/health-page"))

    assert "kein Lebenszeichen" in page
    assert "no sign of life" not in page


def test_moments_are_told_as_clocks_show_them(house: House, admin: Visitor) -> None:
    with house.inside():
        runtime().redis.set(f"{KEY_PREFIX}:heartbeat:clock", "2026-03-02T12:00:00.123456+00:00")

    page = words(admin.get("/health-page"))

    assert "Clock well alive at Mon 2 Mar, 12:00 UTC" in page
    assert "+00:00" not in page


def test_all_sending_is_paused_and_goes_on_but_not_what_was_paused_for_another_reason(
    house: House, admin: Visitor
) -> None:
    admin.get("/health-page")
    paused = words(admin.submit("/health-page/pause"))
    going = words(admin.submit("/health-page/resume"))
    with house.inside() as newsroom:
        pause("city-desk", reason="an outage", by="ada", now=newsroom.now)
    admin.submit("/health-page/pause")
    still = words(admin.submit("/health-page/resume"))

    assert "All sending was paused by Admin Berg" in paused
    assert "1 sender is paused now." in paused
    assert "Pause all sending" in going
    assert "an outage" in still


def test_the_desk_knows_every_sentence_of_the_doctor() -> None:
    trees = [
        ast.parse(Path(one.__file__).read_text()) for one in (check_health, allowance_health, follower_health)
    ]
    calls = [
        node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _name(node) == "Check"
    ]
    said = [_text(one) for call in calls for one in call.args[2:4]]

    assert len(calls) > 20
    whole = {"X, while there is “X”": "“X”, X entries, while there is “X”"}
    whole["X has been due since X UTC"] = "a reply has been due since X UTC"
    assert [one for one in said if one and not is_known(whole.get(one, one))] == []
    named = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
    assert named | {"worker", "replies", "clock"} == set(CHECKS)


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _text(node: ast.expr) -> str:
    """A sentence with X for what varies; "" for what is made elsewhere."""
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=parts):
            return "".join(str(one.value) if isinstance(one, ast.Constant) else "X" for one in parts)
    return ""

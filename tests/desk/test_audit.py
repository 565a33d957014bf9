"""The audit log at the desk."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import app
from app.desk.audit_words import DEEDS, KINDS
from app.services.audit import note
from app.storage.database import transaction
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.support.world import NOON


def write(house: House, count: int = 1, actor: str = "Zoë (#7)", action: str = "broadcast.pause") -> None:
    with house.inside(), transaction() as session:
        for number in range(count):
            note(session, actor, action, f"broadcast {number}", NOON, why="=1+1")


def test_lines_are_found_by_who_what_to_what_and_when(house: House, admin: Visitor) -> None:
    write(house)

    def lines(query: str) -> int:
        return words(admin.get(f"/audit?{query}")).count("Zoë (#7)")

    found = words(admin.get("/audit"))
    assert "Zoë (#7) paused a broadcast broadcast.pause broadcast 0 why: =1+1" in found
    assert [lines(f"who={one}") for one in ("zoë", "%", "nobody")] == [1, 0, 0]
    assert [lines(f"what={one}") for one in ("broadcast", "broadcast.pause", "broad", "list")] == [1, 1, 0, 0]
    assert [lines(f"subject={one}") for one in ("broadcast+0", "broadcast+1")] == [1, 0]
    assert [lines(f"first={one}") for one in ("2026-03-02", "2026-03-03", "nonsense")] == [1, 0, 1]
    assert [lines(f"last={one}") for one in ("2026-03-02", "2026-03-01", "9999-12-31")] == [1, 0, 1]


def test_many_lines_come_page_by_page_and_all_of_them_as_a_file(house: House, admin: Visitor) -> None:
    write(house, 60)

    first = admin.get("/audit?who=Zo")
    older = re.search(r'href="(/audit\?before=\d+[^"]*)"', first.text)
    assert older is not None
    second = admin.get(older[1].replace("&amp;", "&"))
    file = admin.get("/audit.csv?who=Zo").text

    assert (first.text.count("broadcast.pause</code>"), second.text.count("broadcast.pause</code>")) == (
        50,
        10,
    )
    assert "Older lines" not in second.text
    assert len(file.splitlines()) == 61
    assert file.startswith("\ufeffnumber,at,who,what,subject,details")


def test_the_rule_of_a_segment_is_told_as_a_sentence(house: House, admin: Visitor) -> None:
    rule = {"match": "all", "conditions": [{"test": "language", "of": ["de"]}]}
    with house.inside(), transaction() as session:
        note(session, "Zoë (#7)", "broadcast.segment", "broadcast 1", NOON, rule=rule, saved=None)

    assert "rule: People on these lists whose language is German" in words(admin.get("/audit"))


def test_slots_are_told_as_times_and_a_switch_as_yes_or_no(
    house: House, admin: Visitor, visit: Callable[..., Visitor]
) -> None:
    with house.inside(), transaction() as session:
        note(session, "Zoë (#7)", "list.slots", "list 1", NOON, minutes=[595, 605])
        note(session, "Zoë (#7)", "list.approval", "list 1", NOON, wanted=True)

    page = words(admin.get("/audit"))
    german = words(visit(Role.ADMIN, "de").get("/audit"))

    assert "minutes: 09:55, 10:05" in page
    assert "wanted: yes" in page
    assert "wanted: ja" in german


def test_every_deed_has_words() -> None:
    deeds = {deed for path in Path(app.__file__).parent.rglob("*.py") for deed in noted_in(path)}

    assert len(deeds) > 60
    assert deeds - set(DEEDS) == set()
    assert {one.partition(".")[0] for one in DEEDS} == set(KINDS)


def noted_in(path: Path) -> set[str]:
    """The deeds that a file names in calls of `note`."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    given = [
        argument.value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "note"
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
    return {one for one in given if re.fullmatch(r"[a-z]+\.[a-z_]+", one)}

"""The form of a segment: its rows as they were posted, as a rule, and with the choices that each of them has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from flask import request

from app.desk import segment_reactions
from app.desk.forms import Errors
from app.desk.languages import gettext as _
from app.desk.languages import language
from app.desk.languages import lazy_gettext as _l
from app.desk.refusals import said
from app.domain.segments import MOST_CONDITIONS, BadSegment, Reaction, Segment, Trait, Way, parse, written
from app.domain.segments.sentence import way_words
from app.services import read_segments
from app.services.read_segments import DatabaseNames

# What a row asks, as its label says it; in the order in which they are offered.
LABELS: Final[Mapping[str, Any]] = {
    "language": _l("Language"),
    "channel": _l("Channel"),
    "way": _l("How they joined"),
    "tag": _l("The link they came by"),
    "area": _l("Country of the number"),
    "place": _l("Town"),
    "joined_after": _l("Joined after a day"),
    "joined_before": _l("Joined before a day"),
    "joined_within": _l("Joined in the last days"),
    "received": _l("Received a broadcast"),
    "failed": _l("A broadcast failed to reach them"),
    "answered": _l("Answered a broadcast"),
    "clicked": _l("Opened a link of a broadcast"),
    "nothing_within": _l("Received nothing in the last days"),
    "on_list": _l("On another list, too"),
}
_WHOLE: Final = ("joined_within", "nothing_within", "received", "failed", "on_list")
_DAYS: Final = ("joined_within", "nothing_within")
_USUAL_DAYS: Final = "30"


@dataclass(frozen=True)
class Row:
    """One condition of the form: the name of its test, whether it is turned round, and what was chosen."""

    test: str
    negated: bool
    values: tuple[str, ...]

    @property
    def label(self) -> str:
        """What it asks."""
        return str(LABELS[self.test])

    @property
    def hint(self) -> str:
        """What has to be known of it; "" for most."""
        return segment_reactions.hint(self.test)

    @property
    def kind(self) -> str:
        """Which field it has: `boxes`, `one` of a list, `day`, `days`, `word`, or `towns`, which are several words."""
        if self.test == Trait.PLACE:
            return "towns"
        if self.test == Trait.TAG:
            return "word"
        if self.test in (*Trait,):
            return "boxes"
        if self.test in _DAYS:
            return "days"
        return "day" if self.test.startswith("joined_") else "one"


@dataclass(frozen=True)
class Form:
    """The rows of the form, and whether one of them is enough."""

    rows: tuple[Row, ...] = ()
    any_of: bool = False
    but: bool = False

    def pressed(self, act: str) -> "Form":
        """Return the form after a button: `add` a row of the chosen test, or `remove:2`."""
        if act == "add" and len(self.rows) < MOST_CONDITIONS:
            test = request.form.get("add_test", "")
            values = (_USUAL_DAYS,) if test in _DAYS else ()
            return replace(self, rows=(*self.rows, Row(test, False, values))) if test in LABELS else self
        place = act.removeprefix("remove:")
        if act.startswith("remove:") and place.isdecimal():
            rows = tuple(row for index, row in enumerate(self.rows) if index != int(place))
            return replace(self, rows=rows)
        return self

    def rule(self) -> Segment:
        """Read the rows; raises `BadSegment`."""
        match = "any" if self.any_of else "all"
        return parse({"match": match, "conditions": [_data(row) for row in self.rows], "but": self.but})


def posted_form() -> Form:
    """The form as it came. Rows are numbered from 0 without a gap; one of a test that does not exist is left out."""
    rows = []
    for place in range(MOST_CONDITIONS):
        test = request.form.get(f"test-{place}")
        if test is None:
            break
        if test in LABELS:
            given = request.form.getlist(f"of-{place}")
            if test == Trait.PLACE:
                given = [town for one in given for town in one.split(",")]
            values = tuple(one.strip() for one in given if one.strip())
            rows.append(Row(test, request.form.get(f"not-{place}") == "1", values))
    return Form(tuple(rows), request.form.get("match") == "any", request.form.get("but") == "1")


def form_of(rule: Segment) -> Form:
    """A rule as rows of the form."""
    data = written(rule)
    rows = [
        Row(one["test"], one.get("not", False), tuple(map(str, one["of"])))
        if isinstance(one["of"], list)
        else Row(one["test"], one.get("not", False), (segment_reactions.word_of(one["of"]),))
        for one in data["conditions"]
    ]
    return Form(tuple(rows), rule.any_of, rule.but)


def error_of(error: BadSegment) -> Errors:
    """What is wrong, at the field of its row."""
    words = said(error.reason)
    if not error.place:
        return {"form": words}
    return {f"of-{error.place - 1}": _("Condition %(n)s: %(words)s", n=error.place, words=words)}


def choices(list_ids: Sequence[int], form: Form) -> dict[str, list[tuple[str, str]]]:
    """Test -> what may be chosen in it, as value and words: what there is for these lists, and what was chosen."""
    known, names = read_segments.known_of(list_ids), DatabaseNames(language())
    found = {
        "language": [(one, names.language(one)) for one in _with(known.languages, form, "language")],
        "channel": [(one, names.channel(one)) for one in _with(known.channels, form, "channel")],
        "area": [(one, names.territory(one)) for one in _with(known.countries, form, "area")],
        "way": [(way.value, way_words(way, language())) for way in Way],
        "on_list": [(str(one), names.list_name(one)) for one in known.other_lists],
    }
    broadcasts = [str(one) for one in known.broadcasts]
    for test in ("received", "failed"):
        found[test] = [
            (one, names.title(int(one))) for one in _with(broadcasts, form, test) if one.isdecimal()
        ]
    for test in {row.test for row in form.rows}.intersection(Reaction):
        found[test] = segment_reactions.choices(test, _chosen(form, test))
    return {
        test: sorted(pairs, key=_by_words) if test in (*Trait,) else pairs for test, pairs in found.items()
    }


def _with(values: Sequence[str], form: Form, test: str) -> list[str]:
    """These values, and those that a row has already."""
    return list(dict.fromkeys([*values, *(one for one in _chosen(form, test) if len(one) < 19)]))


def _chosen(form: Form, test: str) -> list[str]:
    return [one for row in form.rows if row.test == test for one in row.values]


def _by_words(pair: tuple[str, str]) -> str:
    return pair[1].casefold()


def _data(row: Row) -> dict[str, Any]:
    """The row as the language has it; what is no number stays as it is, to be refused with its place."""
    word = row.values[0] if row.values else ""
    if row.test in (*Trait,):
        value: Any = list(row.values)
    elif row.test in (*Reaction,):
        value = segment_reactions.data_of(row.test, word)
    else:
        value = int(word) if row.test in _WHOLE and word.isdecimal() and len(word) < 19 else word
    return {"test": row.test, "of": value, "not": row.negated}

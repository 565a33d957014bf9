"""Changes between two texts are told in words, and nothing of either gets lost."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.same_text import squeezed
from app.domain.word_diff import Change, Stretch, differences


def test_a_changed_word_is_removed_and_added_as_a_whole() -> None:
    assert differences("The bridge is open.", "The bridge is closed.") == [
        Stretch(Change.SAME, "The bridge is "),
        Stretch(Change.REMOVED, "open"),
        Stretch(Change.ADDED, "closed"),
        Stretch(Change.SAME, "."),
    ]


@given(st.text(alphabet="ab c.\n", max_size=30), st.text(alphabet="ab c.\n", max_size=30))
def test_both_texts_can_be_read_from_their_differences(old: str, new: str) -> None:
    found = differences(old, new)

    assert "".join(one.text for one in found if one.change is not Change.REMOVED) == new
    assert "".join(one.text for one in found if one.change is not Change.ADDED) == old


def test_case_width_and_punctuation_make_no_other_text() -> None:
    assert squeezed("The bridge is OPEN!\r\n") == squeezed("the  bridge is open") == "the bridge is open"
    assert squeezed("Bridge 7") != squeezed("Bridge 8")

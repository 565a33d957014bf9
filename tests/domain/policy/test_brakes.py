"""When a broadcast stops by itself."""

import pytest

from app.domain.policy.brakes import Brakes, Sample, pulled


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (
            Sample(taken=80, failed=20),
            "20 of 100 people could not be reached, 20.0 per cent; the limit is 20.",
        ),
        (Sample(taken=10, failed=19), None),  # a share of two thirds, of too few
        (Sample(taken=1000, failed=199), None),
        (Sample(taken=300, optouts=10), "10 of 300 people have opted out, 3.3 per cent; the limit is 3."),
        (Sample(taken=100, optouts=9), None),
        (Sample(taken=5000, optouts=149), None),
        (
            Sample(taken=190, failed=10, blocks=10),
            "10 of 200 people have blocked us, 5.0 per cent; the limit is 3.",
        ),
        (
            Sample(taken=5, failed=5, refused=5),
            (
                "the provider refused the text for 5 of 10 people. It will for the rest, too: look at the text, and at "
                "the template if it has one."
            ),
        ),
        (Sample(failed=4, refused=4), None),
        (Sample(taken=996, failed=4, refused=4), None),
        (Sample(), None),
    ],
)
def test_a_jump_stops_a_broadcast_and_a_few_do_not(seen: Sample, why: str | None) -> None:
    found = pulled(seen, Brakes())
    assert found == (f"Stopped by itself: {why}" if why else None)


def test_what_came_before_somebody_let_it_go_on_is_not_counted_again() -> None:
    base = Sample(taken=100, failed=30, optouts=12, blocks=0)
    later = Sample(taken=99, failed=31, optouts=12, blocks=1)  # a receipt made one of those taken a failure

    assert later.since(base) == Sample(taken=0, failed=1, optouts=0, blocks=1)


def test_limits_are_read_by_name_and_the_others_stay() -> None:
    assert Brakes.parse("") == Brakes(20.0, 3.0, 3.0)
    assert Brakes.parse("optouts=1.5, failures=0") == Brakes(0.0, 1.5, 3.0)
    assert pulled(Sample(failed=500, refused=500), Brakes(failures=0)) is None


@pytest.mark.parametrize("text", ["optouts", "optouts=abc", "speed=3", "failures=101"])
def test_a_limit_that_makes_no_sense_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="failures=20, optouts=3"):
        Brakes.parse(text)

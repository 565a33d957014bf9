"""One person on several channels: one copy, on the channel chosen last; and the codes that link them."""

import hmac
from datetime import UTC, datetime, timedelta

import pytest

from app.domain import link_codes
from app.domain.link_codes import LinkCode
from app.domain.linked import Linked, next_channels, passed_over, to_strike
from app.domain.statuses import DeliveryStatus as S
from app.domain.statuses import SkipReason

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def at(
    subscriber_id: int, status: S | None = None, reason: str | None = None, *, open_: bool = True
) -> Linked:
    """An address of person 1; a higher id was chosen later."""
    return Linked(subscriber_id, 1, NOON + timedelta(minutes=subscriber_id), open_, status, reason)


BACK = SkipReason.OTHER_CHANNEL.value


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ([at(1), at(2)], {1}),
        ([at(1), at(2, open_=False)], set()),
        ([at(1), at(2, open_=False), at(3)], {1}),
        *(
            ([at(1), at(2, status)], {1})
            for status in (S.PENDING, S.HANDING_OVER, S.SENT, S.DELIVERED, S.UNKNOWN)
        ),
        ([at(1, S.SENT), at(2)], {2}),
        ([at(1), at(2, S.FAILED)], set()),
        ([at(1), at(2, S.SKIPPED, SkipReason.STOPPED.value)], set()),
        ([at(1), at(2, S.SKIPPED, SkipReason.FREQUENCY_CAP.value)], {1}),
    ],
)
def test_one_address_gets_it_and_the_others_stand_back(addresses: list[Linked], expected: set[int]) -> None:
    assert passed_over(addresses) == expected


@pytest.mark.parametrize("status", [S.PENDING, S.HANDING_OVER, S.SENT, S.DELIVERED, S.UNKNOWN])
def test_nobody_takes_over_while_it_may_have_arrived(status: S) -> None:
    assert next_channels([at(1, S.SKIPPED, BACK), at(2, status), at(3, S.FAILED)]) == []


def test_after_a_failure_the_channel_chosen_last_of_the_others_takes_over() -> None:
    waiting = [at(1, S.SKIPPED, BACK), at(2, S.SKIPPED, BACK), at(3, S.FAILED), at(4, S.SKIPPED, "stopped")]

    assert [one.subscriber_id for one in next_channels(waiting)] == [2, 1]


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ([at(1, S.PENDING), at(2, S.PENDING)], {1}),
        ([at(1, S.SENT), at(2, S.PENDING)], {2}),
        ([at(1, S.FAILED), at(2, S.PENDING)], set()),
        ([at(1, S.SENT), at(2, S.SENT)], set()),
    ],
)
def test_a_link_in_mid_broadcast_takes_the_second_copy_back(
    addresses: list[Linked], expected: set[int]
) -> None:
    assert to_strike(addresses) == expected


def tag(body: bytes, key: bytes = b"ours") -> bytes:
    return hmac.new(key, body, "sha256").digest()


def test_a_code_says_what_was_written_and_only_we_can_write_one() -> None:
    code = LinkCode(2**40, 7, 3, NOON)
    text = link_codes.write(code, tag)

    assert len(text) == 43
    assert link_codes.read(f" {text}\n", lambda body: [tag(body, b"new"), tag(body)]) == code
    assert link_codes.read(text, lambda body: [tag(body, b"another")]) is None
    for place in (5, 20, 42):
        forged = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        assert link_codes.read(forged, lambda body: [tag(body)]) is None
    assert link_codes.read("me-too", lambda body: [tag(body)]) is None
    assert (code.is_good(NOON - timedelta(seconds=1)), code.is_good(NOON)) == (True, False)

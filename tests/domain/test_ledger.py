"""Facts about the ledger's integrity: known answers, and that no alteration goes unnoticed."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from app.domain.ledger import (
    ZERO_HASH,
    ChainError,
    MerkleTree,
    audit_path,
    canonical,
    commit,
    entry_hash,
    iso_ms,
    merkle_root,
    path_proves,
    verify_chain,
)

NOTICE = "Riverside News: 1 msg/week. Msg&data rates may apply. Reply HELP for help, STOP to end."
NOTICE_HASH = "17662b224db491939a1feac81fa8caf3cc652bb94d1de1549ad3ef0c5b7ccdae"
SUBJECT = "0198a1b2-0000-7000-8000-000000000001"
COMMIT_1 = "7526ef8b7e9b03e29fb0dbe8fe5b1e68c3a35680bcbf11500ea001f339212fd1"
COMMIT_2 = "247acdac3a2ffff53f981f56c3cbab707e6c07c02ec5c743cc398e7ed44e2bed"
HASHES = (
    "7189dcc84c4042ae24a90ff5e6ee930ceba590cbe7dc6cf70aabba7831e9bd44",
    "b033de960ff56203ce1e22e2f1c89d62d8614c06b6cd81dbd9f0ffaab2b99d3a",
    "ce78312ac9917a21e827a8abb6eecb011525544674979c36885adfa95de1acad",
)
ROOT_OF_2 = "8900ecf4cf5d5a0c2203756d491dd0e8b65def8a2bb3b8da476548dabd70e067"
ROOT_OF_3 = "77f90526e9654568564060968a26deafc2727b0259cb5802b6de7a9175b392ac"
ROOT_OF_NONE = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

FLAT_RECORDS = st.dictionaries(
    st.text(), st.none() | st.booleans() | st.text() | st.integers(-(2**53) + 1, 2**53 - 1), max_size=8
)


def test_t16_the_hash_of_the_notice_is_the_known_one() -> None:
    assert hashlib.sha256(NOTICE.encode()).hexdigest() == NOTICE_HASH


@pytest.mark.parametrize(
    ("message_id", "text", "salt", "expected"),
    [("SM1", "START", b"\x00" * 32, COMMIT_1), ("SM2", "STOP", b"\x01" * 32, COMMIT_2)],
)
def test_t16_known_commitments(message_id: str, text: str, salt: bytes, expected: str) -> None:
    pii = {"address": "+12025550123", "channel": "sms", "provider_message_id": message_id, "text": text}

    assert commit(pii, salt) == expected


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(ValueError, match="salt has 16 bytes; it must have 32"):
        commit({"text": "START"}, b"\x00" * 16)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_t16_known_entry_hashes(number: int) -> None:
    assert entry_hash(known_entries()[number - 1]) == HASHES[number - 1]


@pytest.mark.parametrize(("count", "root"), [(0, ROOT_OF_NONE), (2, ROOT_OF_2), (3, ROOT_OF_3)])
def test_t16_known_merkle_roots(count: int, root: str) -> None:
    assert merkle_root(HASHES[:count]) == root


def test_an_intact_ledger_is_summed_up() -> None:
    summary = verify_chain(known_entries())

    assert (summary.count, summary.head_hash, summary.root) == (3, HASHES[2], ROOT_OF_3)


def test_an_empty_ledger_is_intact() -> None:
    summary = verify_chain([])

    assert (summary.count, summary.head_hash, summary.root) == (0, ZERO_HASH, ROOT_OF_NONE)


def test_verification_reads_a_stream() -> None:
    assert verify_chain(entry for entry in known_entries()).count == 3


def test_a_missing_entry_is_named() -> None:
    entries = chain(5)
    del entries[2]

    assert first_bad(entries) == (3, "it is missing or out of order: entry 4 stands in its place.")


def test_a_missing_first_entry_is_named() -> None:
    assert first_bad(chain(3)[1:])[0] == 1


def test_two_swapped_entries_are_named() -> None:
    entries = chain(5)
    entries[1], entries[2] = entries[2], entries[1]

    assert first_bad(entries)[0] == 2


def test_an_altered_entry_is_named() -> None:
    entries = chain(5)
    entries[3]["event_type"] = "consent_given"

    assert first_bad(entries) == (4, "its content does not match its entry_hash.")


def test_an_entry_altered_together_with_its_hash_is_found_at_the_next_one() -> None:
    entries = chain(5)
    entries[1]["event_type"] = "consent_given"
    entries[1]["entry_hash"] = entry_hash(entries[1])

    assert first_bad(entries) == (3, "its prev_hash is not the hash of the entry before it.")


@pytest.mark.parametrize("field", ["seq", "prev_hash", "entry_hash"])
def test_an_entry_without_a_field_of_the_chain_is_named(field: str) -> None:
    entries = chain(3)
    del entries[1][field]

    assert first_bad(entries)[0] == 2


@pytest.mark.parametrize("value", [2**60, float("nan"), "\ud800", object()])
def test_an_entry_that_json_cannot_say_is_named(value: object) -> None:
    entries = chain(3)
    entries[1]["extra"] = value

    seq, reason = first_bad(entries)

    assert seq == 2
    assert reason.startswith("it cannot be written as canonical JSON")


@given(st.integers(0, 4), st.data())
def test_any_changed_character_is_found_where_it_is(index: int, data: st.DataObject) -> None:
    entries = chain(5)
    field = data.draw(st.sampled_from(sorted(set(entries[index]) - {"seq"})))
    text = entries[index][field]
    place = data.draw(st.integers(0, len(text) - 1))
    entries[index][field] = text[:place] + ("x" if text[place] != "x" else "y") + text[place + 1 :]

    assert first_bad(entries)[0] == index + 1


@given(FLAT_RECORDS)
def test_flat_records_are_written_as_the_reference_library_writes_them(record: dict[str, Any]) -> None:
    assert canonical(record) == rfc8785.dumps(record)


def test_nested_records_and_short_numbers_follow_rfc_8785() -> None:
    assert canonical({"b": [1.0, 1e21], "a": {"\u20ac": None}}) == '{"a":{"€":null},"b":[1,1e+21]}'.encode()


def test_keys_are_sorted_by_utf_16_units() -> None:
    assert list(json.loads(canonical({"\uff01": 1, "\U0001f600": 2}))) == ["\U0001f600", "\uff01"]


def test_the_order_of_fields_and_the_hash_field_do_not_matter() -> None:
    entry = known_entries()[1]

    assert entry_hash(dict(reversed(entry.items()))) == entry_hash(entry | {"entry_hash": "anything"})


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 8, 3, 9, 0, tzinfo=UTC), "2026-08-03T09:00:00.000Z"),
        (datetime(2026, 8, 3, 9, 0, 0, 999_999, tzinfo=UTC), "2026-08-03T09:00:00.999Z"),
        (datetime(2026, 8, 3, 11, 0, tzinfo=timezone(timedelta(hours=2))), "2026-08-03T09:00:00.000Z"),
    ],
)
def test_moments_are_written_in_utc_with_milliseconds(moment: datetime, text: str) -> None:
    assert iso_ms(moment) == text


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        iso_ms(datetime(2026, 8, 3))


@pytest.mark.parametrize("size", range(1, 18))
def test_the_growing_tree_has_the_root_of_the_recursive_definition(size: int) -> None:
    leaves = [leaf(number) for number in range(size)]
    tree = MerkleTree()
    for item in leaves:
        tree.append(item)

    assert tree.size == size
    assert tree.root() == recursive_root([bytes.fromhex(item) for item in leaves]).hex()


@pytest.mark.parametrize("size", range(1, 18))
def test_every_leaf_can_be_proved(size: int) -> None:
    leaves = [leaf(number) for number in range(size)]
    root = merkle_root(leaves)

    assert all(
        path_proves(root, leaves[index], index, size, audit_path(leaves, index)) for index in range(size)
    )


@given(st.integers(2, 40), st.data())
def test_a_path_proves_nothing_else(size: int, data: st.DataObject) -> None:
    leaves = [leaf(number) for number in range(size)]
    root = merkle_root(leaves)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index))
    path = audit_path(leaves, index)

    assert not path_proves(root, leaves[other], index, size, path)
    assert not path_proves(root, leaves[index], other, size, path)
    assert not path_proves(root, leaves[index], index, size, path[:-1])
    assert not path_proves(root, leaves[index], index, size, (*path, leaf(0)))
    assert not path_proves(leaf(99), leaves[index], index, size, path)


@pytest.mark.parametrize(
    ("index", "size", "path"), [(0, 0, ()), (-1, 2, (ZERO_HASH,)), (2, 2, (ZERO_HASH,)), (0, 2, ("no hash",))]
)
def test_a_malformed_proof_proves_nothing(index: int, size: int, path: tuple[str, ...]) -> None:
    assert not path_proves(ZERO_HASH, ZERO_HASH, index, size, path)


def test_there_is_no_path_from_a_leaf_that_does_not_exist() -> None:
    with pytest.raises(IndexError, match="no leaf 3 among 3"):
        audit_path(HASHES, 3)


def known_entries() -> list[dict[str, Any]]:
    steps = (
        ("notice_shown", "2026-08-03T09:00:00.000Z", None, NOTICE_HASH),
        ("consent_given", "2026-08-03T09:01:02.000Z", COMMIT_1, NOTICE_HASH),
        ("consent_withdrawn", "2026-09-01T07:30:00.000Z", COMMIT_2, None),
    )
    return [
        {
            "event_type": event_type,
            "notice_sha256": notice,
            "occurred_at": occurred_at,
            "pii_commit": pii_commit,
            "prev_hash": (ZERO_HASH, *HASHES)[number],
            "seq": number + 1,
            "subject_ref": SUBJECT,
            "v": 1,
            "entry_hash": HASHES[number],
        }
        for number, (event_type, occurred_at, pii_commit, notice) in enumerate(steps)
    ]


def chain(count: int) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    previous = ZERO_HASH
    for seq in range(1, count + 1):
        entry = {"seq": seq, "event_type": "stop_repeated", "subject_ref": SUBJECT, "prev_hash": previous}
        previous = entry_hash(entry)
        entries.append(entry | {"entry_hash": previous})
    return entries


def first_bad(entries: list[dict[str, Any]]) -> tuple[int, str]:
    with pytest.raises(ChainError) as caught:
        verify_chain(entries)
    return caught.value.seq, caught.value.reason


def leaf(number: int) -> str:
    return hashlib.sha256(json.dumps(number).encode()).hexdigest()


def recursive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + recursive_root(leaves[:split]) + recursive_root(leaves[split:])).digest()

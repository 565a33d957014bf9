"""Facts about consistency proofs: an earlier tree is shown to be the beginning of a later one, and nothing else is."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.consistency import consistency_proof, consistency_proves
from app.domain.ledger import merkle_root

LEAVES = [hashlib.sha256(bytes([number])).hexdigest() for number in range(64)]


def nodes(spans: str) -> tuple[str, ...]:
    """Roots of ranges such as '2:3 3:4', to write down what the RFC draws."""
    pairs = (span.split(":") for span in spans.split())
    return tuple(merkle_root(LEAVES[int(start) : int(end)]) for start, end in pairs)


@pytest.mark.parametrize(("old", "spans"), [(3, "2:3 3:4 0:2 4:7"), (4, "4:7"), (6, "4:6 6:7 0:4"), (7, "")])
def test_the_examples_of_rfc_6962_section_2_1_3(old: int, spans: str) -> None:
    assert consistency_proof(LEAVES, old, 7) == nodes(spans)


@pytest.mark.parametrize("new", range(1, 34))
def test_every_earlier_tree_is_the_beginning_of_a_later_one(new: int) -> None:
    for old in range(1, new + 1):
        proof = consistency_proof(LEAVES, old, new)

        assert consistency_proves(old, merkle_root(LEAVES[:old]), new, merkle_root(LEAVES[:new]), proof)


@given(st.integers(1, 40), st.integers(1, 20), st.data())
def test_a_proof_proves_nothing_else(old: int, more: int, data: st.DataObject) -> None:
    new = old + more
    first, last = merkle_root(LEAVES[:old]), merkle_root(LEAVES[:new])
    proof = consistency_proof(LEAVES, old, new)
    place = data.draw(st.integers(0, len(proof) - 1))
    changed = (*proof[:place], LEAVES[63], *proof[place + 1 :])

    assert not consistency_proves(old, merkle_root([*LEAVES[1:old], LEAVES[0], LEAVES[63]]), new, last, proof)
    assert not consistency_proves(old, first, new, merkle_root(LEAVES[1 : new + 1]), proof)
    assert not consistency_proves(old, first, new, last, changed)
    assert not consistency_proves(old, first, new, last, proof[:-1])
    assert not consistency_proves(old, first, new, last, (*proof, LEAVES[0]))
    assert not consistency_proves(new, last, old, first, proof)


def test_a_tree_is_consistent_with_itself_and_malformed_hashes_prove_nothing() -> None:
    assert consistency_proves(3, "a", 3, "a", ())
    assert not consistency_proves(3, "a", 3, "b", ())
    assert not consistency_proves(1, LEAVES[0], 2, merkle_root(LEAVES[:2]), ("no hash",))


def test_what_cannot_be_proved_is_refused() -> None:
    with pytest.raises(ValueError, match="5 leaves is not the beginning of one of 4"):
        consistency_proof(LEAVES, 5, 4)
    with pytest.raises(IndexError, match="Only 2 of 4"):
        consistency_proof(LEAVES[:2], 1, 4)

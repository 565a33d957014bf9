"""Audit paths collected in one pass are those of the textbook."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.audit import PathCollector
from app.domain.ledger import audit_path, merkle_root, path_proves


def _leaves(count: int) -> list[str]:
    return [hashlib.sha256(bytes([number])).hexdigest() for number in range(count)]


def _collect(leaves: list[str], wanted: set[int]) -> tuple[str, dict[int, tuple[str, ...]]]:
    collector = PathCollector(wanted)
    for leaf in leaves:
        collector.append(leaf)
    return collector.finish()


@given(st.integers(1, 70).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))))
def test_paths_in_one_pass_equal_those_computed_one_by_one(case: tuple[int, set[int]]) -> None:
    count, wanted = case
    leaves = _leaves(count)

    root, paths = _collect(leaves, wanted)

    assert root == merkle_root(leaves)
    assert paths == {index: audit_path(leaves, index) for index in wanted}
    assert all(path_proves(root, leaves[i], i, count, path) for i, path in paths.items())


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert _collect([], set()) == (hashlib.sha256().hexdigest(), {})


def test_a_leaf_that_never_came_is_named() -> None:
    with pytest.raises(IndexError, match="no leaf 5 among 3"):
        _collect(_leaves(3), {5})

"""Who came to a list and who left it: the steps of a person's ledger entries that move them across its door."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from app.domain.consent import Fact, Overlays, Standing, SubscriptionState, apply, overlay

ON_IT: Final = frozenset({SubscriptionState.ACTIVE, SubscriptionState.PAUSED})


class Coming(NamedTuple):
    """The entry `fact` let a person onto a list (`joined`), or off it. A pause is neither."""

    fact: Fact
    list_id: int
    joined: bool


def comings(facts: Iterable[Fact], list_ids: Collection[int]) -> Iterator[Coming]:
    """Yield each coming and going of one person's facts, which are all of theirs so far, in ledger order.

    Steps as `app.domain.consent.fold_person` does; a test holds both together.
    """
    overlays, standings = Overlays(), dict[int, Standing]()
    for fact in facts:
        overlays = overlay(overlays, fact)
        for list_id in [fact.list_id] if fact.list_id is not None else sorted(standings):
            before = standings.get(list_id, Standing())
            after = apply(before, fact, overlays)
            if list_id not in list_ids or after == before:
                continue
            standings[list_id] = after
            if (before.state in ON_IT) != (after.state in ON_IT):
                yield Coming(fact, list_id, after.state in ON_IT)


def tag_of(cta_ref: str | None) -> str:
    """Return where the link hung that a person followed, from what the ledger notes of it; "" for none."""
    payload = (cta_ref or "").split(":", 2)
    return payload[2].partition("_")[2][:30] if len(payload) == 3 else ""

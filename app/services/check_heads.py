"""Hold the ledger against heads that were signed earlier: each must be the beginning of what is there now."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from app.domain.ledger import ChainError, MerkleTree
from app.domain.tree_heads import SignedHead


@dataclass
class HeadCheck:
    """Told of the tree before the first entry and after each; compares the root at each size that was signed."""

    waiting: list[SignedHead]
    passed: list[SignedHead] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.waiting.sort(key=lambda head: (head.tree_size, head.time), reverse=True)

    def look(self, tree: MerkleTree) -> None:
        """Compare the heads of exactly this size. Raises `ChainError` for one whose entries were rewritten."""
        while self.waiting and self.waiting[-1].tree_size == tree.size:
            head = self.waiting.pop()
            if head.root != tree.root():
                raise _rewritten(head, self.passed)
            self.passed.append(head)

    def end(self, count: int) -> None:
        """Raise `ChainError` when a head covers entries beyond the last one, `count`."""
        if self.waiting:
            head = self.waiting[0]
            raise ChainError(
                count + 1,
                f"it is missing: the head signed at {head.time} covers {head.tree_size} entries, and the ledger "
                f"ends after {count}. Its tail was cut off.",
            )


def usable(
    heads: Iterable[SignedHead], ledger: str, trusted: Collection[str]
) -> tuple[list[SignedHead], tuple[str, ...]]:
    """Return the heads of this ledger that a trusted key signed, each once, and what is wrong with others."""
    good: dict[str, SignedHead] = {}
    problems: dict[str, None] = {}
    for head in heads:
        if head.ledger != ledger:
            continue
        if not head.is_signed():
            problems[f"The head of {head.time} does not fit its signature: it was altered or forged."] = None
        elif head.public_key not in trusted:
            problems[
                f"The head of {head.time} was signed with the key {head.public_key}, which is not ours. If it was "
                "once, name it with --public-key."
            ] = None
        else:
            good[head.signature] = head
    return list(good.values()), tuple(problems)


def _rewritten(head: SignedHead, passed: Sequence[SignedHead]) -> ChainError:
    first = passed[-1].tree_size + 1 if passed else 1
    since = f"; those before it fit the head signed at {passed[-1].time}" if passed and first > 1 else ""
    return ChainError(
        first,
        f"the entries from here to {head.tree_size} are not those that the head signed at {head.time} covers: "
        f"the ledger was rewritten after that{since}.",
    )

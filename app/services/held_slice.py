"""A slice in a lane's hands: who waits, who is on the wire, and what the journal says of them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from math import ceil

from app.domain.buttons import Rich
from app.domain.media.attached import Media
from app.domain.messages import Outcome, Standing
from app.domain.pace import Grant
from app.domain.parts import count_parts
from app.domain.placeholders import Template
from app.domain.styles import Span, fill, has_codes, uncoded
from app.services.rich_messages import PLAIN, Dress
from app.storage.deliveries import Lease, Person
from app.storage.holding import Limits
from app.storage.journal import Mark, Pages

# The gate is asked again for each window after this, and at once when the ledger has moved.
CLAIM_IS_FRESH = timedelta(seconds=1)


@dataclass
class HeldSlice:
    """`people` in their order; those from place `next` on wait, the first `permitted` of them have their permits.

    `ids` are their subscriber ids. `unsettled` have left and are not in the database. `ledger_end` is from before the
    gate was asked in the claim, `fresh_until` when that answer is too old, and `limits` are what the moment forbids.
    Something may leave up to place `reach` before the next note in SQL; `reaching` is the note that is being written,
    with the place that it leads to. `by_parts`: an SMS takes as many permits as it has parts. `media` is the
    file beside the text, `dress` what else goes with it, `standing` what is changed instead, by subscriber.
    `door_said` is the ledger's end when the last window was let through.
    `gives_back`: others may send to those who still wait. `rests`: whose person had a message just now, by place, and
    for how many seconds this one waits; they took no permit. `templates`, where there are any, has the words for each
    place; without, all get `template`.
    """

    lease: Lease
    template: Template
    people: Sequence[Person]
    ids: Sequence[int]
    pages: Pages
    limits: Limits
    ledger_end: int
    fresh_until: datetime
    lease_until: datetime
    by_parts: bool
    media: Media | None = None
    dress: Dress = PLAIN
    standing: Mapping[int, Standing] = field(default_factory=dict)
    templates: Sequence[Template] = ()
    next: int = 0
    reach: int = 0
    reaching: tuple[int, Future[None]] | None = None
    unsettled: int = 0
    permitted: int = 0
    gives_back: bool = False
    rests: dict[int, float] = field(default_factory=dict)
    door_said: int = 0
    _words: dict[int, tuple[str, tuple[Span, ...] | None]] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        """Tell whether somebody has not been handed over."""
        return self.next < len(self.people)

    @property
    def is_over(self) -> bool:
        """Tell whether nobody waits and everything is settled."""
        return not self.waits and not self.unsettled

    def window(self, size: int) -> Sequence[Person]:
        """Return the next people, up to `size`."""
        return self.people[self.next : self.next + size]

    def text(self, place: int) -> str:
        """Return the words for the person at a place, who is asked for once more at most: they are not kept."""
        return self.words(place)[0]

    def words(self, place: int) -> tuple[str, tuple[Span, ...] | None]:
        """Do what `text` does, with the styles of the words; None where they were not read for marks."""
        words = self._words.pop(place, None)
        return self._render(place) if words is None else words

    def _render(self, place: int) -> tuple[str, tuple[Span, ...] | None]:
        template = self.templates[place] if self.templates else self.template
        if self._has_styles:
            return fill(template, self.people[place].attributes)
        return template.render(self.people[place].attributes), self._none

    @cached_property
    def _has_styles(self) -> bool:
        each = {id(one): one for one in (self.template, *self.templates)}.values()
        return self.lease.wording.styled and any(map(has_codes, each))

    @cached_property
    def _none(self) -> tuple[Span, ...] | None:
        return () if self.lease.wording.styled else None

    @cached_property
    def has_slots(self) -> bool:
        """Tell whether the words have something of each person."""
        return any(one.slots for one in {id(one): one for one in (self.template, *self.templates)}.values())

    def rich(self, place: int) -> Rich | None:
        """Return what goes with these words; None where the text is all."""
        return self.dress.for_person(self.people[place].attributes)

    def costs(self, skip: int, until: int) -> list[int]:
        """Return what the next people from `skip` on up to `until` take from the sender's pace."""
        places = range(self.next + skip, min(self.next + until, len(self.people)))
        if not self.by_parts:
            return [1] * len(places)
        if not self.templates and not self.template.slots:
            return [count_parts(uncoded(self.template.literals[0]))] * len(places)
        for place in places:
            self._words[place] = self._render(place)
        return [count_parts(self._words[place][0]) for place in places]

    def requests(self, size: int, together: int) -> int:
        """Return how many requests the next `size` people take, of one text and `together` people at most each."""
        if not self.templates:
            return ceil(size / together)
        groups = Counter(map(id, self.templates[self.next : self.next + size]))
        return sum(ceil(people / together) for people in groups.values())

    def within(self, requests: int, size: int, together: int) -> int:
        """Return how many of the next `size` people go into so many requests."""
        most = min(size, requests * together)
        while self.templates and self.requests(most, together) > requests:
            most -= 1
        return most

    def permit(self, grant: Grant) -> None:
        """Note the permits of those who follow, and who among them has to rest."""
        first = self.next + self.permitted
        self.rests.update({first + at: seconds for at, seconds in grant.rests.items()})
        self.permitted += grant.count

    def forget_permits(self, together: int) -> int:
        """Let those who wait ask anew; returns the units that they had."""
        first, self.permitted, permitted = self.next, 0, self.permitted
        units = (
            self.requests(permitted, together) if together > 1 else self.unused(first, first + permitted, ())
        )
        self.rests.clear()
        return units

    def unused(self, first: int, until: int, gone: Collection[int]) -> int:
        """Return the units that were taken for people from place `first` up to `until` who are not among the `gone`."""
        if len(gone) == until - first:
            return 0
        return sum(self._cost(place) for place in set(range(first, until)).difference(gone, self.rests))

    def _cost(self, place: int) -> int:
        return count_parts(self.text(place)) if self.by_parts else 1

    def hold_up(self, count: int, passed: Collection[int]) -> dict[int, float]:
        """Return who of the next `count` people could leave and has to rest, in seconds by place; they are not settled.

        Called before `left`, which goes past them.
        """
        if not self.rests:
            return {}
        here = [one for one in range(self.next, self.next + count) if one in self.rests]
        held_up = {one: self.rests[one] for one in here if self.ids[one] in passed}
        self.unsettled += len(held_up)
        return held_up

    def leaving(self, count: int) -> None:
        """Note of the next `count` people, before anybody is asked for the last time, that they may have left."""
        self.pages.mark(self.next, count, Mark.HANDING_OVER)

    def stay(self, count: int) -> None:
        """Take back `leaving`: the slice is not ours any more, and nothing left."""
        self.pages.mark(self.next, count, Mark.UNTOUCHED)

    def left(self, count: int, passed: Collection[int]) -> list[int]:
        """Go past `count` people, of whom those in `passed` (subscribers) leave now; returns their places."""
        places = range(self.next, self.next + count)
        self.next += count
        self.permitted -= count
        going = list(places)
        if len(passed) < count:
            going = [one for one in places if self.people[one].ref.subscriber_id in passed]
            for one in set(places).difference(going):
                self.pages.mark(one, 1, Mark.UNTOUCHED)
        self.unsettled += len(going)
        return going

    def stayed(self, place: int, *, waits: bool) -> None:
        """Take back that somebody leaves: the request was not sent. `waits`: others may send to them, after us."""
        self.pages.mark(place, 1, Mark.UNTOUCHED)
        self.unsettled -= 1
        if waits:
            self.give_back()
            self.gives_back = True

    def is_expired(self, now: datetime) -> bool:
        """Tell whether the news is too old by now."""
        return self.limits.expires_at is not None and now >= self.limits.expires_at

    def noted(self) -> None:
        """Wait for the note in SQL that is being written; raises what went wrong with it."""
        if self.reaching is not None:
            (self.reach, written), self.reaching = self.reaching, None
            written.result()

    def give_back(self) -> None:
        """Let nobody else of this slice leave by our hands; another holder may send to those who wait."""
        self.gives_back = self.gives_back or self.waits
        self.people = self.people[: self.next]

    def answered(self, place: int, outcome: Outcome) -> None:
        """Note an answer in the journal."""
        self.pages.answered(place, outcome)

    def must_ask(self, ledger_end: int, now: datetime) -> bool:
        """Tell whether the gate has to be asked once more: somebody may have left, expired or had enough since."""
        held_back = bool(self.limits.closed or self.limits.recent or self.limits.spent.recent)
        return ledger_end != self.ledger_end or now >= self.fresh_until or self.is_expired(now) or held_back

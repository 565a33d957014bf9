"""Which way a channel leaves open to people whom we answer nothing: a newsletter's way (consent.md 4.4, 4.5)."""

from dataclasses import dataclass
from datetime import timedelta

from app.domain.policy.windows import load


@dataclass(frozen=True, slots=True)
class ProactivePath:
    """Whom a broadcast can reach on a channel.

    `within`: only people who wrote to this very sender so lately; None means everybody. `never_to`: beginnings of
    addresses that the platform delivers no newsletter to.
    """

    within: timedelta | None = None
    never_to: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether everybody can be reached."""
        return self.within is None and not self.never_to


def window_of(channel: str) -> timedelta | None:
    """Return how long after a person's words free text may go to them; None: always."""
    hours = load("channels").get(channel, {}).get("window_hours")
    return None if hours is None else timedelta(hours=hours)


def path_of(channel: str, *, template: bool) -> ProactivePath:
    """Return the way of a channel's sender; `template`: it has a text that the platform approved beforehand."""
    rules = load("channels").get(channel, {})
    if template and rules.get("templates"):
        return ProactivePath(never_to=tuple(rules.get("no_templates_to", ())))
    return ProactivePath(within=window_of(channel))

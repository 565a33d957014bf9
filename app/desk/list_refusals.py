"""What services refuse about lists and people at the desk, by pattern; `refusals` translates it."""

from typing import Final

from app.schemas import N_

PATTERNS: Final[tuple[str, ...]] = (
    N_("A town has at most %(most)s characters, on one line."),
    N_("“%(title)s” waits for its time and goes to this list. Stop it or take it back to draft first."),
)

"""What services refuse about lists and people at the desk, by pattern; `refusals` translates it."""

from typing import Final

from app.schemas import N_

PATTERNS: Final[tuple[str, ...]] = (
    N_("A town has at most %(most)s characters, on one line."),
    N_(
        "“%(title)s” goes to this list and is not out yet. Wait for its end, stop it, or take it back to draft."
    ),
    N_("“%(title)s” repeats and goes to this list. End its rule first."),
    N_("“%(name)s” is closed; nothing of it changes any more."),
    N_("What a live event promised stays as people were told."),
    N_("START must join a list of this sender: make another one the default instead."),
    N_(
        "%(people)s people agreed to at most %(most)s a day between %(from_hour)s and %(until_hour)s h (%(zone)s). "
        "You may promise less, not more; for more, open a new list."
    ),
)

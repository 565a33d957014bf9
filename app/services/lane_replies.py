"""What a lane sends to single persons before anything else: answers to their texts, and messages of our own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.messages import Outcome
from app.services import own_messages
from app.services.controller import Controller
from app.storage import own_messages as waiting_messages
from app.storage import replies
from app.storage.database import transaction
from app.storage.deliveries import Door, Person

REPLIES_EVERY = timedelta(milliseconds=50)
OWN_MESSAGES_EVERY = timedelta(milliseconds=500)
# A question has up to two parts; permits are taken before its words are read.
OWN_MESSAGE_PARTS = 2


@dataclass
class LaneReplies:
    """The answers and own messages of one sender."""

    sender_id: int
    replies_id: int
    controller: Controller
    reply_within: timedelta | None = None
    _looked: datetime | None = None
    _looked_for_own: datetime | None = None

    def may_look(self, now: datetime) -> bool:
        """Tell whether it is time to look again, and note it."""
        if self._looked is not None and now - self._looked < REPLIES_EVERY:
            return False
        self._looked = now
        return True

    def hear(self, outcomes: Sequence[Outcome]) -> None:
        """Look again at once when an answer is to take another way: nobody else would before the clock comes by."""
        if any(one.error is not None and one.error.other_way for one in outcomes):
            self._looked = None

    def answers(self, door: Door, now: datetime, most: int) -> Sequence[Person]:
        """Take answers that wait, at most so many. It is asked all the time and mostly nothing waits."""
        if not door.replies_wait(self.replies_id):
            return ()
        with transaction() as session:
            return replies.claim_replies(session, self.replies_id, now, most, self.reply_within)

    def own_messages_due(self, now: datetime, most: int) -> int:
        """Count the messages of our own that are due, looking every now and then."""
        if self._looked_for_own is not None and now - self._looked_for_own < OWN_MESSAGES_EVERY:
            return 0
        self._looked_for_own = now
        with transaction() as session:
            return waiting_messages.waiting(session, self.replies_id, now, most)

    def own_messages(self, now: datetime, granted: int, *, are_more: bool) -> Sequence[Person]:
        """Take so many of them; with `are_more` the next look comes at once."""
        if are_more:
            self._looked_for_own = None
        with transaction() as session:
            return own_messages.claim(
                session,
                self.replies_id,
                now,
                granted,
                home=self.controller.region,
                sender_id=self.sender_id,
            )

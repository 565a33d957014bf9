"""Puts away what came in over a connection, as posts of providers are: to be listed, read again, and erased."""

from collections.abc import Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.clock import utcnow
from app.domain.messages import Event, HookRequest
from app.runtime import runtime
from app.services.kept_hooks import Hook, Took, is_kept, keep, people_of, what_of
from app.storage.database import transaction
from app.storage.posts import insert_posts

log = structlog.get_logger(__name__)


class Keeping:
    """What came in since it was last put away. All of it is in force already, or is told to nobody else."""

    def __init__(self, sender_id: int) -> None:
        self._sender_id = sender_id
        self._hooks: list[Hook] = []

    def taken(self, request: HookRequest, events: Sequence[Event]) -> None:
        """Note what was done as it says; reports that all went well are left out."""
        if is_kept(events):
            self._note(request, what_of(events), events)

    def malformed(self, request: HookRequest, reason: str) -> None:
        """Note what we could not read."""
        self._note(request, Took.MALFORMED, reason=reason)

    def failed(self, request: HookRequest, error: Exception) -> None:
        """Note what we could read and failed to do. The name of the error alone: its words may be a person's."""
        self._note(request, Took.FAULT, reason=type(error).__name__)

    def put_away(self) -> None:
        """Write it all in one transaction."""
        hooks, self._hooks = self._hooks, []
        if not hooks:
            return
        try:
            with transaction() as session:
                insert_posts(session, hooks)
        except SQLAlchemyError as error:
            self._warn(error, len(hooks))

    def _note(self, request: HookRequest, what: Took, events: Sequence[Event] = (), reason: str = "") -> None:
        sender_id, keys = self._sender_id, runtime().controller.keys
        try:
            people = people_of(request, sender_id, events)
        except SQLAlchemyError as error:
            self._warn(error, 1)
            return
        self._hooks.append(
            keep(
                request, sender_id=sender_id, what=what, people=people, reason=reason, keys=keys, now=utcnow()
            )
        )

    def _warn(self, error: SQLAlchemyError, count: int) -> None:
        log.warning(
            "what came in could not be kept",
            sender_id=self._sender_id,
            error=type(error).__name__,
            count=count,
        )

"""Faults of every provider whose requests Flask answers, planned or asked for by a number: slow, refused, cut, silent.

Twilio's busy path (`app.simulator.twilio_send`) has the same plan, and its own words.
"""

from collections.abc import Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication

from app.simulator.magic import SLOW_SECONDS
from app.simulator.silence import LATE, NEVER, Silence, asked_for, at_once, held
from app.simulator.world import World

_OURS: Final = ("/control/", "/phones/", "/static/", "/health")
_REFUSALS: Final = {
    "error": ("503 Service Unavailable", []),
    "throttle": ("429 Too Many Requests", [("Retry-After", "1")]),
}


class Misbehaviour:
    """WSGI application that draws the fate of each request that hands something over, and passes the rest on."""

    def __init__(self, world: World, rest: WSGIApplication) -> None:
        self._world, self._rest = world, rest

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ["REQUEST_METHOD"] not in ("POST", "PUT") or environ["PATH_INFO"].startswith(_OURS):
            return self._rest(environ, start_response)
        plan = self._world.faults
        plan.wait(self._world.stopping)
        fate = plan.draw()
        if fate in _REFUSALS:
            status, headers = _REFUSALS[fate]
            start_response(status, [*headers, ("Content-Type", "text/plain")])
            return [b""]
        if fate == "drop":
            return Silence(at_once)
        return self._answered(fate, environ, start_response)

    def _answered(self, fate: str, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Let the provider answer, then keep the answer back or away where the number of a phone asks for it."""
        asked_for.set("")
        answer = self._rest(environ, start_response)
        asked = asked_for.get()
        if asked == LATE:
            self._world.stopping.wait(SLOW_SECONDS)
        if asked != NEVER and fate != "lose_reply":
            return answer
        close = getattr(answer, "close", None)
        if close is not None:
            close()
        return held(self._world.held, self._world.stopping) if asked == NEVER else Silence(at_once)

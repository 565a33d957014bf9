"""Planned faults for every provider whose requests Flask answers: slow, refused, cut, or accepted without an answer.

Twilio's busy path (`app.simulator.twilio_send`) has the same plan, and its own words.
"""

from collections.abc import Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication

from app.simulator.silence import Silence, at_once
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
        if plan.faults.latency_ms:
            self._world.stopping.wait(plan.faults.latency_ms / 1000)
        fate = plan.draw()
        if fate in _REFUSALS:
            status, headers = _REFUSALS[fate]
            start_response(status, [*headers, ("Content-Type", "text/plain")])
            return [b""]
        if fate == "drop":
            return Silence(at_once)
        answer = self._rest(environ, start_response)
        return self._lose(answer) if fate == "lose_reply" else answer

    def _lose(self, answer: Iterable[bytes]) -> Silence:
        close = getattr(answer, "close", None)
        if close is not None:
            close()
        return Silence(at_once)

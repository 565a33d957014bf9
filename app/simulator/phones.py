"""The page with the phones: what a visitor sees, types and blocks."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from app.simulator.conversations import Persona
from app.simulator.inbound import UnknownSender
from app.simulator.texts import CHANNEL_NAMES, TEXTS, count_text, number_text, pick_language
from app.simulator.twilio_json import json_response
from app.simulator.world import World

BODY_LIMIT = 1600
QUICK_WORDS = ("START", "STOP", "HELP")


class Peer(NamedTuple):
    """Somebody of ours whom a phone can write to."""

    number: str
    channel: str
    name: str


class PhonesPage:
    """The views of the page over one world; `desk_url` is where the editors' site is, "" for unknown."""

    def __init__(self, world: World, desk_url: str = "") -> None:
        self._world, self._desk_url = world, desk_url

    def blueprint(self) -> Blueprint:
        """Return the page's routes; forms that another site's page posts are refused."""
        routes = Blueprint("phones", __name__)
        routes.before_request(_refuse_other_sites)
        routes.add_url_rule("/", "page", self.page)
        routes.add_url_rule("/phones/news", "news", self.news)
        routes.add_url_rule("/phones/files/<sha256>", "file", self.file)
        routes.add_url_rule("/phones/<key>/text", "text", self.text, methods=["POST"])
        routes.add_url_rule("/phones/<key>/press", "press", self.press, methods=["POST"])
        routes.add_url_rule("/phones/<key>/block", "block", self.block, methods=["POST"])
        return routes

    def page(self) -> str:
        """Return the whole page; it reloads itself where no script runs, unless `?reload=0`."""
        language = pick_language(request)
        other = "en" if language == "de" else "de"
        return render_template(
            "phones.html",
            **self._shared(language),
            personas=self._world.conversations.personas(),
            bubbles=self._world.conversations.bubbles,
            senders=self._peers(),
            is_blocked=self._is_blocked,
            on_channels=lambda persona: self._on_channels(persona, language),
            edition=self._edition(),
            version=self._world.conversations.version,
            counts=self._counts(language),
            desk_url=self._desk_url,
            other_language=other,
            reloads=request.args.get("reload") != "0",
            quick_words=QUICK_WORDS,
            body_limit=BODY_LIMIT,
        )

    def file(self, sha256: str) -> Response:
        """Return a file that came to a phone."""
        found = self._world.shelf.get(sha256)
        if found is None:
            abort(404, "The simulator was started anew since, and keeps no files.")
        return Response(found.data, mimetype=found.mime)

    def news(self) -> Response:
        """Return, as JSON, the totals and what each phone got after `?after=`."""
        language = pick_language(request)
        conversations = self._world.conversations
        version = conversations.version  # read first: what arrives meanwhile comes twice rather than never
        after = request.args.get("after", 0, type=int)
        phones = {
            persona.key: {
                "html": self._new_bubbles(persona, after, language),
                "blocked": sorted(self._blocked_senders(persona)),
                "on": self._on_channels(persona, language),
            }
            for persona in conversations.personas()
        }
        return json_response(
            {
                "edition": self._edition(),
                "version": version,
                "counts": self._counts(language),
                "phones": phones,
            }
        )

    def text(self, key: str) -> AnyResponse:
        """Send what was typed, or a quick word, from a phone; then show the page again."""
        persona = self._persona(key)
        body = request.form.get("quick") or request.form.get("body", "").strip()
        if not body or len(body) > BODY_LIMIT:
            abort(400, f"Write a message of 1 to {BODY_LIMIT} characters.")
        to = request.form.get("to", "")
        account = self._world.chats.accounts.get(to)
        if account is not None:
            self._world.chats.text(persona.number, account, body)
            self._world.remember()
            return self._back(persona)
        try:
            self._world.inbound.text(persona.number, to, body)
        except UnknownSender as error:
            abort(404, str(error))
        return self._back(persona)

    def press(self, key: str) -> AnyResponse:
        """Press a button below a message."""
        persona, account = self._persona(key), self._world.chats.accounts.get(request.form.get("to", ""))
        label, value = request.form.get("label", ""), request.form.get("value", "")
        if account is None or not label or not value:
            abort(400, "Press a button that is shown on the phone.")
        self._world.chats.press(persona.number, account, label, value)
        self._world.remember()
        return self._back(persona)

    def block(self, key: str) -> AnyResponse:
        """Block the chosen sender on this phone, or lift the block."""
        persona = self._persona(key)
        to = request.form.get("to", "")
        account = self._world.chats.accounts.get(to)
        if account is not None:
            self._world.chats.block(persona.number, account, not self._is_blocked(persona, to))
            self._world.remember()
            return self._back(persona)
        if to not in self._world.state.senders:
            abort(404, f"No sender has the number {to}.")
        self._world.block(persona.number, to, not self._is_blocked(persona, to))
        return self._back(persona)

    def _back(self, persona: Persona) -> AnyResponse:
        if "application/json" in request.headers.get("Accept", ""):
            return Response(status=204)
        kept = {name: request.args[name] for name in ("lang", "reload") if name in request.args}
        return redirect(f"/?{urlencode(kept)}#phone-{persona.key}", 303)

    def _persona(self, key: str) -> Persona:
        return self._world.conversations.persona(key) or abort(404, f"No phone is called {key}.")

    def _shared(self, language: str) -> dict[str, object]:
        return {
            "language": language,
            "t": TEXTS[language],
            "number_text": number_text,
            "channels": CHANNEL_NAMES,
        }

    def _new_bubbles(self, persona: Persona, after: int, language: str) -> str:
        bubbles = self._world.conversations.bubbles(persona.number, after)
        shared = self._shared(language) | {"bubbles": bubbles, "persona": persona}
        return render_template("bubbles.html", **shared) if bubbles else ""

    def _is_blocked(self, persona: Persona, sender: str) -> bool:
        blocked_here = (persona.number, sender) in self._world.state.handset_blocks
        return blocked_here or self._world.chats.is_blocked(persona.number, sender)

    def _on_channels(self, persona: Persona, language: str) -> str:
        """Say on which channels somebody and we talk, in the order in which they came."""
        bubbles = self._world.conversations.bubbles(persona.number)
        names = dict.fromkeys(CHANNEL_NAMES[one.channel] for one in bubbles if one.kind != "note")
        return TEXTS[language]["on"].format(channels=", ".join(names)) if names else ""

    def _peers(self) -> list[Peer]:
        """Whom a phone can write to: numbers first, then accounts on messengers."""
        numbers = [Peer(one.number, one.channel, one.name) for one in self._world.state.all_senders()]
        return numbers + [Peer(one.address, one.channel, one.name) for one in self._world.chats.all()]

    def _blocked_senders(self, persona: Persona) -> list[str]:
        return [peer.number for peer in self._peers() if self._is_blocked(persona, peer.number)]

    def _edition(self) -> str:
        """Return a mark that changes when an open page must be loaded anew: a reset, or other senders."""
        numbers = ",".join(peer.number for peer in self._peers())
        return f"{self._world.run}/{self._world.conversations.epoch}/{numbers}"

    def _counts(self, language: str) -> Mapping[str, str]:
        state, chats = self._world.state, self._world.chats.counts()
        numbers = {"total": state.total, "distinct": state.distinct, "duplicates": state.duplicates}
        return {name: count_text(number + chats[name], language) for name, number in numbers.items()}


def _refuse_other_sites() -> None:
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin not in {None, f"{request.scheme}://{request.host}"}:
        abort(403, "This form belongs to the simulator's own page.")

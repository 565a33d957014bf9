"""A phone texts a sender: the provider handles its own words, calls the product's webhook, shows the answer."""

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from threading import Lock

from app.clock import utcnow
from app.domain.parts import measure
from app.simulator import optouts
from app.simulator.conversations import Conversations, Kind
from app.simulator.records import WHATSAPP, Sender
from app.simulator.state import State, new_sid
from app.simulator.wire import Answer, CannotDeliver, Wire

COUNTRIES = (("+1", "US"), ("+44", "GB"), ("+49", "DE"))


class UnknownSender(LookupError):
    """No sender has the number that was texted."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a text: `webhook_status` is the product's HTTP status, None when it was not reached."""

    sid: str
    opt_out_type: str
    webhook_status: int | None
    problem: str = ""


class Inbound:
    """Carries texts from phones to the product, one signed webhook each, and counts them."""

    def __init__(
        self,
        state: State,
        conversations: Conversations,
        wire: Wire,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self._state, self._conversations, self._wire, self._clock = state, conversations, wire, clock
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def text(self, phone: str, to: str, body: str) -> Outcome:
        """Send `body` from `phone` to the sender `to` and wait for the product's answer.

        Raises UnknownSender. A webhook that fails is repeated once when the product was not reached, as Twilio does.
        """
        sender = self._state.senders.get(to)
        if sender is None:
            raise UnknownSender(f"no sender has the number {to}; add it with PUT /control/senders")
        self._show(phone, "out", sender, body)
        with self._state.lock:
            self._state.last_words[phone, to] = self._clock()
        handling = optouts.handle(self._state, sender, phone, body)
        if handling.reply:
            self._show(phone, "in", sender, handling.reply)
        sid = new_sid()
        outcome = self._forward(sender, inbound_form(sender, phone, body, sid, handling.opt_out_type), phone)
        if outcome.problem:
            self._conversations.add(phone, "note", to, outcome.problem)
        return outcome

    def _show(self, phone: str, kind: Kind, sender: Sender, text: str) -> None:
        parts = measure(text).count
        self._conversations.add(phone, kind, sender.number, text, parts, channel=sender.channel)

    def counts(self) -> dict[str, int]:
        """Return webhooks sent, acknowledged (2xx) and failed."""
        with self._lock:
            return {name: self._counts[name] for name in ("sent", "acknowledged", "failed")}

    def reset(self) -> None:
        """Forget the counts."""
        with self._lock:
            self._counts.clear()

    def _forward(self, sender: Sender, form: dict[str, str], phone: str) -> Outcome:
        sid, word = form["MessageSid"], form.get("OptOutType", "")
        if not sender.webhook_url:
            return Outcome(sid, word, None, "no webhook address is set for this number")
        self._count("sent")
        try:
            answer = self._post(sender, form)
        except CannotDeliver as error:
            self._count("failed")
            return Outcome(sid, word, None, str(error))
        self._count("acknowledged" if answer.taken else "failed")
        if not answer.taken:
            return Outcome(sid, word, answer.status, f"HTTP {answer.status}")
        for text in read_twiml(answer.body):
            self._show(phone, "in", sender, text)
        return Outcome(sid, word, answer.status)

    def _post(self, sender: Sender, form: dict[str, str]) -> Answer:
        event_id = secrets.token_hex(16)
        try:
            return self._wire.post(sender.webhook_url, form, sender.auth_token, event_id)
        except CannotDeliver:
            return self._wire.post(sender.webhook_url, form, sender.auth_token, event_id)

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1


def inbound_form(sender: Sender, phone: str, body: str, sid: str, opt_out_type: str) -> dict[str, str]:
    """Return the form fields of an inbound webhook."""
    form = {
        "AccountSid": sender.account_sid,
        "ApiVersion": "2010-04-01",
        "Body": body,
        "From": phone,
        "FromCountry": next((country for prefix, country in COUNTRIES if phone.startswith(prefix)), ""),
        "MessageSid": sid,
        "NumMedia": "0",
        "NumSegments": str(max(1, measure(body).count)),
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "To": sender.number,
    }
    if sender.messaging_service_sid:
        form["MessagingServiceSid"] = sender.messaging_service_sid
    if opt_out_type:
        form["OptOutType"] = opt_out_type
    if sender.channel == "whatsapp":
        form |= {"From": f"{WHATSAPP}{phone}", "WaId": phone.removeprefix("+"), "ProfileName": "Somebody"}
    return form


def read_twiml(body: bytes) -> list[str]:
    """Return the texts of the `<Message>` verbs in a webhook's answer; anything else in it is not for a phone."""
    reader = _Messages()
    reader.feed(body.decode("utf-8", "replace"))
    reader.close()
    return [text for text in (" ".join(each.split()) for each in reader.texts) if text]


class _Messages(HTMLParser):
    # html.parser knows no entity definitions, so a hostile answer cannot make it expand anything.
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "message":
            self._inside = True
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "message"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[-1] += data

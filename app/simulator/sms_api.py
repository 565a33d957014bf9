"""SMS by HTTP as each provider speaks it: Kannel, Vonage, Infobip and the others of `sms_answers.toml`.

The last digits of a number decide what happens to it, as `app.simulator.magic` says; what a provider cannot refuse at
once, it takes and reports as failed. Webhooks carry the `hook_secret` in their address, which is what the product
checks; where the account has a key, they are signed besides (`app.simulator.sms_signing`).
"""

import json
import secrets
import time
from collections import defaultdict
from functools import partial
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from flask import Blueprint, Response, request

from app.domain.parts import measure
from app.simulator.chats import Chats
from app.simulator.later import Later
from app.simulator.limits import TokenBuckets
from app.simulator.magic import OneTimeFaults
from app.simulator.messengers import Account, Messenger, Told
from app.simulator.sms_providers import Provider, Stranger, Unreadable, providers
from app.simulator.sms_signing import signed

FAILING: Final = ("0202", "0403", "0404", "0610", "0614", "0998")
"""Endings of numbers that no message reaches."""
_KANNEL_CODES: Final = {"delivered": 1, "failed": 2, "sent": 8, "rejected": 16}
"""Kannel user guide, delivery reports: the values of %d, which are the bits of dlr-mask, too."""


class SmsMessenger(Messenger):
    """What one provider tells us: texts. Nobody hears of a handset that blocks us."""

    reaches_all = True

    def __init__(self, provider: Provider) -> None:
        self.channel, self.provider = provider.name, provider

    def id_of(self, number: str) -> str:
        """A phone is known by its number."""
        return number

    def opened(self, account: Account, number: str, scene: str, known: bool) -> None:
        """Nobody opens anything before they text."""

    def said(self, account: Account, number: str, text: str) -> Told:
        """A text, with the secret in its address."""
        ours = account.settings["from"]
        body = self.provider.fill(
            "message",
            id=secrets.token_hex(8),
            text=text,
            our=ours,
            our_digits=ours.removeprefix("+"),
            **{"from": number, "from_digits": number.removeprefix("+")},
        )
        url = f"{account.webhook_url}?key={account.settings['hook_secret']}"
        told = told_in(self.provider.formats["message"], url, body)
        return signed(self.provider.signature, account.settings, told)

    def blocked(self, account: Account, number: str, blocked: bool) -> None:
        """A handset tells nobody."""


class SmsApi:
    """The requests of all providers; `later` runs the reports."""

    def __init__(self, chats: Chats, later: Later) -> None:
        self._chats, self._later = chats, later
        self._buckets, self._faults = TokenBuckets(), OneTimeFaults(chats.on_reset)

    def blueprint(self) -> Blueprint:
        """Return the routes; who shares a path is told apart by who is signed in."""
        routes = Blueprint("sms", __name__)
        here: dict[str, list[Provider]] = defaultdict(list)
        for one in providers().values():
            here[one.rule].append(one)
        for rule, sharing in here.items():
            view = partial(self.send, sharing)
            routes.add_url_rule(rule, f"sms-{sharing[0].name}", view, methods=["POST"])
        return routes

    def send(self, sharing: list[Provider], **_: str) -> Response:
        """One message, or several in one request, by whichever account is signed in."""
        for provider in sharing:
            for account in self._chats.all():
                if account.channel != provider.name:
                    continue
                try:
                    asked = provider.read(request, account.settings)
                except Stranger:
                    continue
                except Unreadable as error:
                    return _refusal(provider, "unreadable", words=str(error))
                return self._take_all(provider, account, asked)
        return _refusal(sharing[0], "login", words="Authorization failed")

    def _take_all(self, provider: Provider, account: Account, asked: list[dict[str, str]]) -> Response:
        """A limit or a fault stops a whole request; beyond that each message has an answer of its own."""
        for one in asked:
            if (refused := self._stopped(provider, account, one["to"])) is not None:
                return refused
        answers = [self._take(provider, account, one) for one in asked]
        if len(answers) == 1:
            return answers[0]
        name = provider.batch["answers"]
        each = [result for one in answers for result in json.loads(one.get_data())[name]]
        stati = {one.status_code for one in answers}
        status = stati.pop() if len(stati) == 1 else provider.answers.get("mixed", provider.answers["status"])
        return _answer(provider, status, json.dumps({name: each}).encode())

    def _stopped(self, provider: Provider, account: Account, number: str) -> Response | None:
        rate = float(account.settings.get("rate") or provider.rate)
        limited = provider.answers.get("refuses_above_rate") or "rate" in account.settings
        if limited and self._buckets.take(account.address, rate, time.monotonic()):
            return _refusal(provider, "0429", to=number)
        once = self._faults.take(number)
        return _refusal(provider, once, to=number) if once else None

    def _take(self, provider: Provider, account: Account, asked: dict[str, str]) -> Response:
        number, text = asked["to"], asked["text"]
        ending = number[-4:]
        if ending in provider.answers["no"] and ending != "0429":
            return _refusal(provider, ending, to=number)
        id_ = secrets.token_hex(8)
        arrives = ending not in FAILING and self._deliver(account, number, text)
        self._report_later(provider, account, asked | {"id": id_}, ending, arrives)
        ours = account.settings["from"]
        digits = {"to_digits": asked["to_digits"], "our": ours, "our_digits": ours.removeprefix("+")}
        return _answer(
            provider, provider.answers["status"], provider.fill("taken", id=id_, to=number, **digits)
        )

    def _deliver(self, account: Account, number: str, text: str) -> bool:
        fate = self._chats.deliver(account, number, text, parts=measure(text).count)
        return fate == "deliver"

    def _report_later(
        self, provider: Provider, account: Account, asked: dict[str, str], ending: str, arrives: bool
    ) -> None:
        steps = ["sent", "delivered"] if arrives else ["sent", "failed"]
        if ending == "0299":
            steps = ["delivered", "sent", "delivered"]
        fails = provider.answers.get("fails", {})
        ending = ending if arrives or ending in FAILING else "0403"  # a handset that blocks us
        code = "" if arrives else str(fails.get(ending, fails.get("other", "")))
        if header := provider.answers.get("report_header"):
            mask = int(request.headers.get(provider.answers["mask_header"], "0"))
            told = _of_kannel(request.headers[header], mask, steps, asked["id"], code)
        else:
            reports = (self._report(provider, account, asked, step, code) for step in steps)
            told = [one for one in reports if one is not None]
        for one in told:
            self._later(partial(self._chats.report, account, one))

    def _report(
        self, provider: Provider, account: Account, asked: dict[str, str], step: str, code: str
    ) -> Told | None:
        if step not in provider.words:
            return None
        secret = account.settings["hook_secret"]
        url = asked.get("callback") or f"{account.webhook_url}?key={secret}"
        ours = account.settings["from"]
        body = provider.fill(
            "report",
            id=asked["id"],
            to=asked["to"],
            to_digits=asked["to_digits"],
            our=ours,
            our_digits=ours.removeprefix("+"),
            status=provider.words[step],
            code=code if step == "failed" else "0",
            ref=asked.get("ref", ""),
        )
        told = told_in(provider.formats["report"], url, body)
        return signed(provider.signature, account.settings, told)


def told_in(format_: str, url: str, body: bytes) -> Told:
    """Return a webhook to `url` that carries a JSON document, a form of the same, or a query of it."""
    if format_ == "json":
        return Told(body, {"Content-Type": "application/json"}, url=url)
    fields = json.loads(body)
    if format_ == "form":
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Told(urlencode(fields).encode(), headers, url=url)
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query), *fields.items()])
    return Told(b"", {}, method="GET", url=parts._replace(query=query).geturl())


def _of_kannel(url: str, mask: int, steps: list[str], id_: str, answer: str) -> list[Told]:
    """Fill %d, %F and %A in the address, for the steps that the mask asks for."""
    found = []
    refused = answer.startswith("NACK")
    for step in ["rejected"] if refused else steps:
        number = _KANNEL_CODES[step]
        if mask & number:
            said = quote(answer if refused else "", safe="")
            filled = url.replace("%d", str(number)).replace("%F", id_).replace("%A", said)
            found.append(Told(b"", {}, method="GET", url=filled))
    return found


def _refusal(provider: Provider, reason: str, to: str = "", words: str = "refused") -> Response:
    """Refuse in the provider's words; where it has none for it, by HTTP's."""
    if reason == "0500" or reason not in provider.answers["no"]:
        status = 500 if reason == "0500" else 429
        return Response("", status, {"Retry-After": "2"} if status == 429 else {})
    status, code = provider.answers["no"][reason]
    if not code:
        return Response(words, status, mimetype="text/plain")
    digits = to.removeprefix("+")
    body = provider.fill("refused", id=secrets.token_hex(8), to=to, to_digits=digits, code=code, words=words)
    return _answer(provider, status, body)


def _answer(provider: Provider, status: int, body: bytes) -> Response:
    kind = "text/plain" if provider.answers.get("plain") else "application/json"
    return Response(body, status, mimetype=kind)

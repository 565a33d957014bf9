"""The gateway that every described provider shares. Webhooks are known by a secret in their address."""

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlencode

from app.domain.messages import (
    Batch,
    DeliveryRef,
    ErrorKind,
    Event,
    EventKind,
    HookReply,
    HookRequest,
    Outcome,
    Receipt,
    ReceiptStatus,
    Recipient,
    SendError,
)
from app.domain.parts import measure
from app.gateways.base import BadSetting, BadSignature, Call, Capabilities, Malformed, Proof, Reply
from app.gateways.code_tables import overrides_of
from app.gateways.common import (
    TRIES_IF_UNLISTED,
    HttpGateway,
    by_status,
    for_all,
    for_group,
    json_of,
    number_of_ours,
    seconds,
    sms_link,
    without_answer,
)
from app.gateways.http_sms import hooks, signed
from app.gateways.http_sms.description import Description, Hook, descriptions
from app.gateways.http_sms.together import Together
from app.gateways.paths import at, filled

KEY_PARAMETER: Final = "key"
REF_PARAMETER: Final = "d"
_CONTENT_TYPES: Final = {
    "form": "application/x-www-form-urlencoded",
    "json": "application/json",
    "text": "text/plain; charset=UTF-8",
}
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{16,100}")


class HttpSmsGateway(HttpGateway):
    """One number at one provider. A subclass carries the provider's description."""

    channel = "sms"
    description: ClassVar[Description]

    def __init__(self, settings: Mapping[str, str], base_url: str | None = None) -> None:
        self._ask = self.description.ask
        sender = settings["from"]
        self._values = {spec.name: settings.get(spec.name, "") for spec in self.settings} | {
            "from": sender,
            "from_digits": sender.removeprefix("+"),
        }
        self._secret = settings["hook_secret"]
        self._check = signed.check_of(self.description.signature, settings)
        base = base_url or settings.get("base_url") or self.description.base_url
        self._url = base.rstrip("/") + filled(self._ask.path, {k: quote(v) for k, v in self._values.items()})
        basic = self._ask.basic
        self._basic = (filled(basic[0], self._values), filled(basic[1], self._values)) if basic else None

    @classmethod
    def check_settings(cls, settings: Mapping[str, str]) -> str:
        """Return the sender's address: E.164 or a short code; raises `BadSetting`."""
        cls.complete(settings)
        if not _SECRET.fullmatch(settings["hook_secret"]):
            raise BadSetting(
                "hook_secret needs 16 to 100 letters, digits, _ or -; it is part of the webhook's address."
            )
        signed.check_of(cls.description.signature, settings)
        return number_of_ours(settings["from"])

    @classmethod
    def capabilities(cls) -> Capabilities:
        """A yes says that the provider has taken the message; what became of it, its receipt tells."""
        receipt, together = cls.description.receipt, cls.description.together
        return Capabilities(
            channel=cls.channel,
            max_batch=together.most if together else 1,
            own_results=together is not None,
            default_rate=cls.description.rate,
            receipts=frozenset(receipt.statuses.values()) if receipt else frozenset(),
            proof=Proof.QUEUED,
        )

    def encode(self, batch: Batch) -> Sequence[Call]:
        """One request a person, or one for as many as the provider gives results of their own in one answer."""
        together, people = self.description.together, batch.recipients
        if together is None or len(people) == 1:
            return [self._call(recipient, batch.callback_url) for recipient in people]
        parts = [people[start : start + together.most] for start in range(0, len(people), together.most)]
        return [self._call_for(part, batch.callback_url, together) for part in parts]

    def _call(self, recipient: Recipient, callback_url: str) -> Call:
        values = self._values_of(recipient, callback_url)
        body = _written(self._ask.body, filled(self._ask.fields, values))
        return self._call_with(body, values, (recipient.ref,))

    def _call_for(self, people: Sequence[Recipient], callback_url: str, together: Together) -> Call:
        if len(people) == 1:
            return self._call(people[0], callback_url)
        values = [self._values_of(one, callback_url) for one in people]
        body = together.body([filled(self._ask.fields, one) for one in values])
        return self._call_with(body, values[0], tuple(one.ref for one in people))

    def _values_of(self, recipient: Recipient, callback_url: str) -> dict[str, str]:
        number = recipient.address.value
        gsm, other = self._ask.unicode
        return self._values | {
            "to": number,
            "to_digits": number.removeprefix("+"),
            "text": recipient.text,
            "ref": str(recipient.ref),
            "callback": f"{callback_url}?{KEY_PARAMETER}={self._secret}&{REF_PARAMETER}={recipient.ref}",
            "encoding": gsm if measure(recipient.text).encoding == "GSM-7" else other,
        }

    def _call_with(self, body: bytes, values: Mapping[str, str], refs: tuple[DeliveryRef, ...]) -> Call:
        headers = {name: value for name, value in filled(self._ask.headers, values).items() if value}
        return Call(
            self._ask.method,
            self._url,
            body,
            {"Content-Type": _CONTENT_TYPES[self._ask.body], "Accept": "application/json", **headers},
            self._basic,
            refs,
        )

    def decode(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        """A yes with the message's id; else the provider's code, looked up in its table."""
        if (error := without_answer(reply)) is not None:
            return for_all(call, error)
        if len(call.refs) > 1:
            return self._decode_each(call, reply)
        return [self._outcome(call.refs[0], reply, self._read(reply))]

    def _decode_each(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        """Everybody's own result, in a refusal, too; an answer without any is about the request, and all in it."""
        together = self.description.together
        if together is not None and 200 <= reply.status < 500:
            outcomes = together.outcomes(
                call, reply.body, lambda ref, found: self._outcome(ref, reply, self._found(found))
            )
            if outcomes is not None:
                return outcomes
        return for_group(call, self._error(reply, self._read(reply)))

    def _outcome(self, ref: DeliveryRef, reply: Reply, found: Mapping[str, str]) -> Outcome:
        if 200 <= reply.status < 300 and self._is_yes(found):
            # Some interfaces give no id; the delivery's own reference, which receipts bring back, stands for it.
            return Outcome(ref, provider_id=found["id"] or str(ref))
        return Outcome(ref, error=self._error(reply, found))

    def _read(self, reply: Reply) -> dict[str, str]:
        answer = self.description.answer
        if answer.pattern:
            match = re.search(answer.pattern, reply.body.decode(errors="replace"))
            named = match.groupdict() if match else {}
            found = {name: named.get(name) or "" for name in ("id", "code", "detail")}
            return found | {"ok": found["code"]}
        return self._found(json_of(reply.body))

    def _found(self, document: Mapping[str, Any]) -> dict[str, str]:
        answer = self.description.answer
        paths = {"id": answer.id, "code": answer.code, "detail": answer.detail}
        found = {name: at(document, path) if path else "" for name, path in paths.items()}
        found["code"] = found["code"] or (at(document, answer.whole) if answer.whole else "")
        return found | {"ok": at(document, answer.ok[0]) if answer.ok else found["id"]}

    def _is_yes(self, found: Mapping[str, str]) -> bool:
        ok = self.description.answer.ok
        return found["ok"] in ok[1] if ok else found["ok"] != ""

    def _error(self, reply: Reply, found: Mapping[str, str]) -> SendError:
        code, detail = found["code"], found["detail"][:300]
        wait = seconds(reply.headers.get("retry-after"))
        kind = self._kind(code) if code else None
        if reply.status == 429 or kind is ErrorKind.RATE_LIMITED:
            return SendError(ErrorKind.RATE_LIMITED, code or "429", detail, wait or 1.0)
        if kind is not None:
            return SendError(kind, code, detail, wait)
        if code and reply.status < 500:
            if reply.status in (401, 403):
                return SendError(ErrorKind.AUTH, code, detail)
            return SendError(ErrorKind.TEMPORARY, code, detail, wait, tries=TRIES_IF_UNLISTED)
        return by_status(reply, detail)

    def handshake(self, request: HookRequest) -> HookReply | None:
        """Such providers may bring messages and receipts by GET: those are webhooks like any other."""
        return None

    def verify(self, request: HookRequest) -> None:
        """Compare the secret that is part of the address which we gave the provider, and check its signature."""
        if not hmac.compare_digest(request.query.get(KEY_PARAMETER, "").encode(), self._secret.encode()):
            raise BadSignature(f"The {KEY_PARAMETER} in this address is not the sender's hook_secret.")
        if self._check is not None:
            self._check(request)

    def parse(self, request: HookRequest) -> Sequence[Event]:
        """Tell messages from receipts as the description says."""
        events = [
            *(
                hooks.message(one, self.description.inbound)
                for one in hooks.matching(request, self.description.inbound)
            ),
            *(
                self._receipt(one, request, self.description.receipt)
                for one in hooks.matching(request, self.description.receipt)
                if self.description.receipt is not None
            ),
        ]
        return events or [Event(EventKind.IGNORED)]

    def _receipt(self, item: object, request: HookRequest, hook: Hook) -> Event:
        status = hook.statuses.get(at(item, hook.paths["status"]))
        if status is None:
            return Event(EventKind.IGNORED)
        path = hook.paths["ref"]
        ref = request.query.get(path[1:], "") if path.startswith("?") else at(item, path)
        try:
            delivery = DeliveryRef.parse(ref)
        except ValueError as error:
            raise Malformed(str(error)) from error
        failure = self._failure(hooks.code(item, hook)) if status is ReceiptStatus.FAILED else None
        return Event(
            EventKind.RECEIPT, receipt=Receipt(delivery, at(item, hook.paths["id"]) or ref, status, failure)
        )

    def _failure(self, code: str) -> SendError:
        kind = self._kind(code)
        if kind is None:
            return SendError(ErrorKind.TEMPORARY, code, tries=TRIES_IF_UNLISTED)
        return SendError(kind, code)

    def _kind(self, code: str) -> ErrorKind | None:
        return overrides_of(self.name).get(code) or self.description.codes.get(code)

    def acknowledge(self, request: HookRequest) -> HookReply:
        """What the provider expects to read."""
        return HookReply(200, body=self.description.acknowledges_with)

    def link(self, payload: str) -> str | None:
        """Opens a text to us with the word written already."""
        return sms_link(self._values["from"], payload)


def gateway_classes() -> dict[str, type[HttpSmsGateway]]:
    """Return a gateway for each provider that is described."""
    return {name: gateway_class_of(one) for name, one in descriptions().items()}


def gateway_class_of(one: Description) -> type[HttpSmsGateway]:
    """Return the gateway of a described provider."""
    more = {"name": one.name, "settings": one.settings, "description": one, "__doc__": f"{one.title}."}
    return type(f"{one.name.title()}Gateway", (HttpSmsGateway,), more)


def _written(body: str, fields: Any) -> bytes:
    if body == "text":
        return str(fields).encode()
    if body == "json":
        return json.dumps(fields).encode()
    return urlencode({name: value for name, value in fields.items() if value != ""}).encode()

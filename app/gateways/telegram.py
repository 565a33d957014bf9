"""Telegram: a bot that people start, by the Bot API; webhooks carry the secret that we gave with `setWebhook`.

Source: core.telegram.org/bots/api (10.1); the texts of errors are those of the open server, tdlib/telegram-bot-api.
"""

import hmac
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.domain.addresses import Address
from app.domain.buttons import limits_named
from app.domain.in_place import InPlace, changes_named
from app.domain.media.attached import Media
from app.domain.media.limits import media_of
from app.domain.messages import (
    Batch,
    ErrorKind,
    Event,
    EventKind,
    HookReply,
    HookRequest,
    InboundMessage,
    Outcome,
    PlatformEvent,
    PlatformSignal,
    Recipient,
    SendError,
)
from app.domain.pace import PAIRS
from app.domain.styles import styles_named
from app.gateways import telegram_changes, telegram_media
from app.gateways.base import BadSetting, BadSignature, Call, Capabilities, Malformed, Reply, SettingSpec
from app.gateways.common import (
    HttpGateway,
    by_status,
    check_switch,
    for_all,
    json_of,
    moment,
    posted_json,
    seconds,
    without_answer,
)
from app.gateways.telegram_text import entities, keyboard, preview
from app.gateways.uploads import Handle

API: Final = "https://api.telegram.org"
FREE_PER_SECOND: Final = 30.0
PAID_PER_SECOND: Final = 1000.0
"""core.telegram.org/bots/faq: what a bot may send a second, and with paid broadcasts."""
PAID: Final = "paid_broadcast"
_HEADERS: Final = {"Content-Type": "application/json"}
_TOKEN: Final = re.compile(r"\d+:[A-Za-z0-9_-]{30,}")
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{16,256}")

# A part of the description, in lower case -> what it means. Telegram has no finer codes than the HTTP status.
_MEANINGS: Final = (
    ("bot was blocked", ErrorKind.BLOCKED),
    ("bot was kicked", ErrorKind.BLOCKED),
    ("is not a member", ErrorKind.BLOCKED),
    ("bot can't initiate conversation", ErrorKind.BLOCKED),
    ("user is deactivated", ErrorKind.GONE),
    ("group chat was deleted", ErrorKind.GONE),
    ("chat not found", ErrorKind.INVALID),
    ("user not found", ErrorKind.INVALID),
    ("have no access to the user", ErrorKind.INVALID),
    ("message is too long", ErrorKind.CONTENT),
    ("message text is empty", ErrorKind.CONTENT),
    ("caption is too long", ErrorKind.CONTENT),
    ("message to edit not found", ErrorKind.UNCHANGEABLE),
    ("message can't be edited", ErrorKind.UNCHANGEABLE),
    ("message can't be deleted", ErrorKind.UNCHANGEABLE),
    ("message identifier is not specified", ErrorKind.UNCHANGEABLE),
    ("message_id_invalid", ErrorKind.UNCHANGEABLE),
    ("no text in the message to edit", ErrorKind.UNCHANGEABLE),
    ("no caption in the message to edit", ErrorKind.UNCHANGEABLE),
    ("failed to get http url content", ErrorKind.CONTENT),
    ("wrong file identifier", ErrorKind.CONTENT),
    ("can't parse entities", ErrorKind.CONTENT),
)


class TelegramGateway(HttpGateway):
    """One bot as a sender. Whoever has not started it cannot be written to."""

    name = "telegram"
    channel = "telegram"
    settings = (
        SettingSpec("token", secret=True, example="123456:the token that BotFather gave you"),
        SettingSpec("bot", secret=False, example="CityDeskBot"),
        SettingSpec(
            "secret", secret=True, example="16 letters or digits at least, the same as for setWebhook"
        ),
        SettingSpec(
            PAID,
            secret=False,
            example="yes",
            required=False,
            help="Broadcasts may go at up to 1,000 a second. IT COSTS MONEY: Telegram takes 0.1 Star from the bot's "
            "balance for each message above 30 a second.",
        ),
    )

    def __init__(self, settings: Mapping[str, str], base_url: str | None = None) -> None:
        self._bot, self._secret = settings["bot"], settings["secret"]
        self._url = f"{(base_url or API).rstrip('/')}/bot{settings['token']}"
        self._paid = settings.get(PAID) == "yes"
        self._at_telegram = base_url is None

    @classmethod
    def check_settings(cls, settings: Mapping[str, str]) -> str:
        """Return the sender's address, `@bot`; raises `BadSetting` naming what is missing, wrong or unknown."""
        cls.complete(settings)
        if not _TOKEN.fullmatch(settings["token"]):
            raise BadSetting(
                "token is not a bot's: BotFather's look like 123456:ABC and 35 characters in all or more."
            )
        if not _SECRET.fullmatch(settings["secret"]):
            raise BadSetting("secret needs 16 to 256 letters, digits, _ or -; give the same to setWebhook.")
        check_switch(settings, PAID)
        return "@" + settings["bot"].removeprefix("@")

    @classmethod
    def capabilities(cls) -> Capabilities:
        """30 messages a second for a bot, which Telegram asks for in its FAQ; it reports nothing after the send."""
        return Capabilities(
            channel=cls.channel,
            max_text=4096,
            text_unit="utf16",
            default_rate=25.0,
            rate_unit="message",
            pair=PAIRS[cls.channel],
            media=media_of(cls.name),
            buttons=limits_named(cls.name),
            changes=changes_named(cls.name),
            styles=styles_named(cls.name),
            signals=frozenset({PlatformSignal.LEFT, PlatformSignal.CAME_BACK}),
        )

    @property
    def most_per_second(self) -> float:
        """Thirty, a thousand for a bot that pays; at another server than Telegram's nobody knows."""
        if not self._at_telegram:
            return math.inf
        return PAID_PER_SECOND if self._paid else FREE_PER_SECOND

    @property
    def how_to_send_more(self) -> str:
        """The setting that costs money, unless it is set."""
        return "" if self._paid else f"With --set {PAID}=yes it takes {PAID_PER_SECOND:g}, for money."

    def encode(self, batch: Batch) -> Sequence[Call]:
        """One request a recipient."""
        return [self._call(recipient, batch.media) for recipient in batch.recipients]

    def _call(self, recipient: Recipient, media: Media | None) -> Call:
        method, content = "sendMessage", {"text": recipient.text, **preview(recipient.rich)}
        if media is not None:
            method, content = telegram_media.method_and_body(media, recipient.text)
        if recipient.replaces is not None:
            method, content = telegram_changes.method_and_body(recipient.replaces, recipient.text)
        keys = {} if method == "deleteMessage" else keyboard(recipient.rich)
        body = {"chat_id": recipient.address.value, **content, **entities(recipient, content), **keys}
        # An answer needs no hurry that costs money, and a message that is changed is no new one.
        if self._paid and recipient.ref.inbound_id == 0 and recipient.replaces is None:
            body["allow_paid_broadcast"] = True
        return Call(
            "POST", f"{self._url}/{method}", json.dumps(body).encode(), _HEADERS, refs=(recipient.ref,)
        )

    def told_handle(self, reply: Reply) -> Handle | None:
        """Telegram's own id for the file that a message carried."""
        return telegram_media.told_handle(reply)

    def decode(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        """`ok` with the message's id, or an error code with a description in words.

        A changed message keeps its id; of one that was taken away there is none.
        """
        if (error := without_answer(reply)) is not None:
            return for_all(call, error)
        body = json_of(reply.body)
        result, act = body.get("result"), telegram_changes.act_of(call.url)
        fine = reply.status == 200 and body.get("ok") is True
        if fine and isinstance(result, dict):
            return for_all(call, None, telegram_changes.provider_id_of(result))
        if fine and result is True and act is InPlace.DELETE:
            return for_all(call, None)
        if act is not None and telegram_changes.is_done(act, str(body.get("description") or "")):
            return for_all(call, None, telegram_changes.named_in(call))
        return for_all(call, _error(reply, body))

    def verify(self, request: HookRequest) -> None:
        """Compare the secret that Telegram sends back with each update."""
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        if not hmac.compare_digest(given.encode(), self._secret.encode()):
            raise BadSignature("The secret token is not the one given to setWebhook.")

    def parse(self, request: HookRequest) -> Sequence[Event]:
        """Private messages, pressed buttons, and who blocked or unblocked the bot; groups are none of ours."""
        update = posted_json(request)
        number = update.get("update_id")
        if not isinstance(number, int):
            raise Malformed("The field update_id is missing.")
        external_id = f"update:{number}"
        for field, read in (
            ("message", _message),
            ("callback_query", _pressed),
            ("my_chat_member", _membership),
        ):
            found = update.get(field)
            if isinstance(found, dict):
                event = read(external_id, found)
                return [event or Event(EventKind.IGNORED)]
        return [Event(EventKind.IGNORED)]

    def acknowledge(self, request: HookRequest) -> HookReply:
        """Tell the app that a press was taken, or its button goes on turning; the answer to a webhook may do so."""
        query = json_of(request.body).get("callback_query")
        if not isinstance(query, dict) or not isinstance(query.get("id"), str):
            return HookReply(200)
        done = {"method": "answerCallbackQuery", "callback_query_id": query["id"]}
        return HookReply(200, "application/json", json.dumps(done))

    def link(self, payload: str) -> str:
        """Opens the bot with a Start button that sends the payload."""
        return f"https://t.me/{self._bot.removeprefix('@')}?start={payload}"


def _error(reply: Reply, body: Mapping[str, Any]) -> SendError:
    words = str(body.get("description") or "")
    detail, code = words[:300], str(body.get("error_code") or reply.status)
    if reply.status == 429:
        parameters = body.get("parameters")
        wait = seconds(parameters.get("retry_after")) if isinstance(parameters, dict) else None
        return SendError(ErrorKind.RATE_LIMITED, code, detail, wait or 1.0)
    for part, kind in _MEANINGS:
        if part in words.casefold():
            return SendError(kind, code, detail)
    # A wrong token is 401 or, when it does not even look like one, 404 with these words alone.
    if reply.status in (401, 404) and words in ("Unauthorized", "Not Found"):
        return SendError(ErrorKind.AUTH, code, detail)
    return by_status(reply, detail)


def _address(chat: object) -> Address | None:
    if not isinstance(chat, dict) or chat.get("type") != "private" or not isinstance(chat.get("id"), int):
        return None
    return Address(TelegramGateway.channel, str(chat["id"]))


def _message(external_id: str, message: Mapping[str, Any]) -> Event | None:
    address = _address(message.get("chat"))
    if address is None:
        return None
    text = message.get("text") or message.get("caption") or ""
    command, _, payload = str(text).partition(" ")
    started = command == "/start" and bool(payload)
    media = 0 if message.get("text") else 1
    found = InboundMessage(
        external_id,
        address,
        command if started else str(text),
        media_count=media,
        payload=payload.strip() if started else "",
        sent_at=moment(message.get("date")),
    )
    return Event(EventKind.MESSAGE, message=found)


def _pressed(external_id: str, query: Mapping[str, Any]) -> Event | None:
    message = query.get("message")
    address = _address(message.get("chat")) if isinstance(message, dict) else None
    data = query.get("data")
    if address is None or not isinstance(data, str):
        return None
    return Event(EventKind.MESSAGE, message=InboundMessage(external_id, address, "", payload=data))


def _membership(external_id: str, change: Mapping[str, Any]) -> Event | None:
    address, member = _address(change.get("chat")), change.get("new_chat_member")
    status = member.get("status") if isinstance(member, dict) else None
    signal = {"kicked": PlatformSignal.LEFT, "member": PlatformSignal.CAME_BACK}.get(str(status))
    if address is None or signal is None:
        return None
    evidence = {"my_chat_member": str(status), "date": str(change.get("date", ""))}
    return Event(EventKind.SIGNAL, signal=PlatformEvent(external_id, address, signal, evidence=evidence))

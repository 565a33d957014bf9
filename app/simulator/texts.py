"""The words of the phones page, in English and German."""

from typing import Final

from flask import Request

LANGUAGES: Final = ("en", "de")
LONGEST_PEER: Final = 60

CHANNEL_NAMES: Final = {
    "sms": "SMS",
    "telegram": "Telegram",
    "whatsapp": "WhatsApp",
    "line": "LINE",
    "viber": "Viber",
    "messenger": "Messenger",
    "matrix": "Matrix",
    "wechat": "WeChat",
    "webpush": "Web Push",
    "xmpp": "XMPP",
    "signal": "Signal",
    "smpp": "SMS · SMPP",
    "kannel": "SMS · Kannel",
    "vonage": "SMS · Vonage",
    "infobip": "SMS · Infobip",
    "plivo": "SMS · Plivo",
    "bandwidth": "SMS · Bandwidth",
    "messagebird": "SMS · MessageBird",
    "sinch": "SMS · Sinch",
    "africastalking": "SMS · Africa's Talking",
    "clickatell": "SMS · Clickatell",
    "clickatell_one": "SMS · Clickatell One API",
    "telnyx": "SMS · Telnyx",
}

TEXTS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "title": "Phones · Tidings simulator",
        "banner": "Simulator: nothing here leaves this machine",
        "intro": "Text from a phone as its owner would. Replies and broadcasts arrive on their own.",
        "skip": "Skip to the phones",
        "desk": "Open the desk",
        "other_language": "Deutsch",
        "totals": "Totals",
        "total": "Messages accepted",
        "distinct": "Distinct recipients",
        "duplicates": "Duplicates",
        "duplicates_help": "The same text from the same sender to the same phone, more than once",
        "phones": "Phones",
        "speaks": "speaks English",
        "speaks_de": "speaks German",
        "on": "On {channels}",
        "conversation": "Conversation of {name}",
        "empty": "No messages yet. Tap START to subscribe.",
        "to": "To",
        "message": "Message from {name}",
        "placeholder": "Message",
        "send": "Send",
        "send_word": "Send {word}",
        "block": "Block this sender",
        "unblock": "Unblock this sender",
        "block_help": "On a blocked phone nothing arrives: the provider takes the message, then reports it "
        "undelivered (error 30004). The sender is not told why.",
        "blocked": "Sender blocked",
        "picture": "Picture that came with the message",
        "document": "Open the document",
        "notification": "Notification of the browser",
        "parts": "{count} parts",
        "edited": "edited",
        "deleted": "This message was deleted",
        "from_me": "Sent",
        "from_sender": "From {peer}",
        "note": "The service did not take this message: {problem}",
        "no_sender": "No sender is connected yet. As soon as one is, these phones can text it.",
        "still": "This page reloads every five seconds.",
        "stop_reload": "Stop reloading",
        "reload": "Reload by itself",
        "offline": "The simulator does not answer. Trying again …",
    },
    "de": {
        "title": "Telefone · Tidings-Simulator",
        "banner": "Simulator: Nichts hier verlässt diesen Rechner",
        "intro": "Schreiben Sie von einem Telefon aus, als gehörte es Ihnen. "
        "Antworten und Rundsendungen kommen von selbst an.",
        "skip": "Zu den Telefonen springen",
        "desk": "Zur Redaktion",
        "other_language": "English",
        "totals": "Summen",
        "total": "Angenommene Nachrichten",
        "distinct": "Verschiedene Empfänger",
        "duplicates": "Doppelte",
        "duplicates_help": "Derselbe Text vom selben Absender an dasselbe Telefon, mehr als einmal",
        "phones": "Telefone",
        "speaks": "spricht Englisch",
        "speaks_de": "spricht Deutsch",
        "on": "Auf {channels}",
        "conversation": "Unterhaltung von {name}",
        "empty": "Noch keine Nachrichten. START meldet an.",
        "to": "An",
        "message": "Nachricht von {name}",
        "placeholder": "Nachricht",
        "send": "Senden",
        "send_word": "{word} senden",
        "block": "Absender sperren",
        "unblock": "Sperre aufheben",
        "block_help": "Auf einem gesperrten Telefon kommt nichts an: Der Anbieter nimmt die Nachricht an und meldet "
        "sie dann als nicht zugestellt (Fehler 30004). Der Absender erfährt nicht, warum.",
        "blocked": "Absender gesperrt",
        "picture": "Bild, das mit der Nachricht kam",
        "document": "Dokument öffnen",
        "notification": "Mitteilung des Browsers",
        "parts": "{count} Teile",
        "edited": "bearbeitet",
        "deleted": "Diese Nachricht wurde gelöscht",
        "from_me": "Gesendet",
        "from_sender": "Von {peer}",
        "note": "Der Dienst hat diese Nachricht nicht angenommen: {problem}",
        "no_sender": "Noch ist kein Absender verbunden. Sobald einer da ist, können diese Telefone ihm schreiben.",
        "still": "Diese Seite lädt alle fünf Sekunden neu.",
        "stop_reload": "Nicht mehr neu laden",
        "reload": "Von selbst neu laden",
        "offline": "Der Simulator antwortet nicht. Neuer Versuch …",
    },
}


def pick_language(request: Request) -> str:
    """Return the language asked for by `?lang=`, or else by the browser, or else English."""
    asked = request.args.get("lang", "")
    return asked if asked in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or "en"


def count_text(number: int, language: str) -> str:
    """Return a count with the thousands mark of the language."""
    text = f"{number:,}"
    return text.replace(",", ".") if language == "de" else text


def number_text(number: str) -> str:
    """Return a phone number in groups that can be read: +1 202 555 0143, +44 7700 900118, +49 30 23125 017.

    Of a key, which nobody reads, its beginning.
    """
    number = number.removeprefix("whatsapp:")
    for prefix, groups in (("+1", (3, 3, 4)), ("+44", (4, 6)), ("+4930", (5, 3))):
        rest = number.removeprefix(prefix)
        if rest != number and len(rest) == sum(groups):
            starts = [sum(groups[:index]) for index in range(len(groups))]
            words = [rest[start : start + size] for start, size in zip(starts, groups, strict=True)]
            return " ".join([prefix.replace("+4930", "+49 30"), *words])
    return number if len(number) <= LONGEST_PEER else f"{number[:8]}…"

"""Puts the facts of a list into the sentences of a language. The sentences are data files beside this one."""

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Final

from app.domain.addresses import Address

LANGUAGES: Final = ("en", "de")


class ReplyKind(StrEnum):
    """The occasions on which we answer."""

    WELCOME = "welcome"
    STOPPED = "stopped"
    STOPPED_LIST = "stopped_list"
    STOPPED_FUZZY = "stopped_fuzzy"
    STOPPED_KEEP = "stopped_keep"
    ALREADY_STOPPED = "already_stopped"
    KEPT_LIST = "kept_list"
    WELCOME_BACK = "welcome_back"
    PAUSED = "paused"
    ERASURE = "erasure"
    WRONG_NUMBER = "wrong_number"
    HELP = "help"
    CHOOSE_LIST = "choose_list"
    QUESTION = "question"
    QUESTION_AGAIN = "question_again"


# Required by: CTIA and carriers' rules for welcome and help texts, GDPR article 13 for purpose and privacy link.
_REQUIRED: Final = {
    ReplyKind.WELCOME: ("brand", "list_name", "purpose", "frequency", "privacy_url"),
    ReplyKind.STOPPED: ("brand",),
    ReplyKind.STOPPED_LIST: ("brand", "list_name"),
    ReplyKind.STOPPED_FUZZY: ("brand",),
    ReplyKind.STOPPED_KEEP: ("brand", "words"),
    ReplyKind.ALREADY_STOPPED: ("brand",),
    ReplyKind.KEPT_LIST: ("brand", "list_name"),
    ReplyKind.WELCOME_BACK: ("brand",),
    ReplyKind.PAUSED: ("brand", "until"),
    ReplyKind.ERASURE: ("brand",),
    ReplyKind.WRONG_NUMBER: ("brand",),
    ReplyKind.HELP: ("brand", "contact"),
    ReplyKind.CHOOSE_LIST: ("brand", "words"),
    # No purpose: what asks for consent may praise nothing (consent.md 2.7; OLG Düsseldorf I-15 U 64/15).
    ReplyKind.QUESTION: ("brand", "list_name", "frequency"),
    # Here the purpose is what is asked about: people must learn what they agree to from now on (3.2, row 39).
    ReplyKind.QUESTION_AGAIN: ("brand", "list_name", "purpose", "frequency"),
}

# What confirms that somebody left: one message, within five minutes of the word or not at all, for from then on the
# sender would have to justify it (47 CFR 64.1200(a)(12)).
CONFIRMATIONS: Final = frozenset(
    {
        ReplyKind.STOPPED,
        ReplyKind.STOPPED_LIST,
        ReplyKind.STOPPED_FUZZY,
        ReplyKind.STOPPED_KEEP,
        ReplyKind.ALREADY_STOPPED,
        ReplyKind.WRONG_NUMBER,
    }
)
CONFIRM_WITHIN: Final = timedelta(minutes=5)


class MissingFact(ValueError):
    """A reply cannot be written, because a fact that it must contain is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the texts are about.

    `frequency` is the promise in the words shown at sign-up ("At most 3 messages a day"); `contact` a phone
    number or e-mail address; `words` what to text for each list; `rates_apply` adds the line on message and
    data rates, see the function of the same name; `until` the last day of a pause, in words (`day_words`);
    `link` confirms a sign-up as a YES does.
    """

    brand: str
    list_name: str = ""
    purpose: str = ""
    frequency: str = ""
    contact: str = ""
    privacy_url: str = ""
    words: tuple[str, ...] = ()
    rates_apply: bool = False
    until: str = ""
    link: str = ""


def reply(kind: ReplyKind, language: str, facts: Facts) -> str:
    """The answer to send. A language without texts is answered in English. Raises MissingFact.

    Sentences about optional facts are left out when the fact is empty.
    """
    if missing := missing_facts(kind, facts):
        raise MissingFact(
            f"The {kind} text needs {', '.join(missing)}; fill in what the list or brand lacks."
        )
    texts = _load(_supported(language))
    values = _values(facts, texts["rates"][0])
    sentences = (sentence for sentence in texts[kind] if all(values[name] for name in _fields(sentence)))
    return " ".join(sentence.format_map(values) for sentence in sentences)


def notice_text(language: str, facts: Facts) -> str:
    """The notice of a list: the words shown when consent is asked, which the welcome text repeats.

    Raises MissingFact.
    """
    return reply(ReplyKind.WELCOME, language, facts)


def missing_facts(kind: ReplyKind, facts: Facts) -> tuple[str, ...]:
    """The names of the facts that this kind of text must contain and that are empty; for forms to check."""
    return tuple(name for name in _REQUIRED[kind] if not "".join(getattr(facts, name)).strip())


def rates_apply(address: Address) -> bool:
    """True where carriers ask for the line on message and data rates: SMS to country code +1."""
    return address.channel == "sms" and address.value.startswith("+1")


def day_words(language: str, day: date) -> str:
    """Return "2 April 2026" in a language that we have texts in."""
    texts = _load(_supported(language))
    return texts["day"][0].format(day=day.day, month=texts["months"][day.month - 1], year=day.year)


def _supported(language: str) -> str:
    subtag = language.replace("_", "-").partition("-")[0].lower()
    return subtag if subtag in LANGUAGES else LANGUAGES[0]


def _values(facts: Facts, rates: str) -> dict[str, str]:
    return {
        "brand": facts.brand.strip(),
        "list_name": facts.list_name.strip(),
        "purpose": _sentence(facts.purpose),
        "frequency": _sentence(facts.frequency),
        "contact": facts.contact.strip(),
        "privacy_url": facts.privacy_url.strip(),
        "words": ", ".join(facts.words),
        "until": facts.until,
        "link": facts.link,
        "rates": rates if facts.rates_apply else "",
    }


def _sentence(text: str) -> str:
    """Close a sentence that its author left open."""
    bare = text.strip()
    return f"{bare}." if bare and bare[-1] not in ".!?…" else bare


@cache
def _fields(sentence: str) -> tuple[str, ...]:
    return tuple(name for _, name, _, _ in Formatter().parse(sentence) if name)


@cache
def _load(language: str) -> dict[str, list[str]]:
    source = files("app.domain.replies").joinpath("data", f"{language}.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))

"""What carriers and regulators want in a text, or do not: `lint` for broadcasts, `lint_notice` for notices."""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final

from app.domain.gaps import gaps_in
from app.domain.parts import measure, offenders
from app.domain.replies.texts import Facts

NOTICE_PARTS: Final = 2
# A reminder of STOP: at least every 30 days, or with every fifth message, whichever comes first.
REMIND_AFTER_DAYS: Final = 30
REMIND_EVERY: Final = 5


class Severity(StrEnum):
    """An ERROR forbids sending, a WARNING asks to look again."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a text. `code` is stable, for translations; `where` quotes the place ("" for what is missing).

    `advice` says in English what to do; `about` names the text, by `Scope.key`, where it is not the main one.
    """

    severity: Severity
    code: str
    where: str
    advice: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class SinceStop:
    """How long nobody read the word STOP: `messages` in a row without it, `days` since the last with it."""

    messages: int
    days: int


# In capitals, as commands are written everywhere: "the mayor can stop it" says nothing about leaving.
STOP_WORD: Final = re.compile(r"\bSTOPP?\b")
_HELP: Final = re.compile(r"\b(?:HELP|HILFE)\b")
_RATES: Final = re.compile(
    r"rates\s+may\s+apply|kosten\s+(?:für|können)|aplicarse\s+cargos|(?:nachrichten|sms)\S*\s.{0,30}kosten",
    re.IGNORECASE,
)
_QUOTE: Final = "[\"'“”„‘’]?"
_LEAVE: Final = (
    r"(?:unsub\w*|opt[\s-]?out|stop\b|cancel|leave|end\b|quit|remov\w*"
    r"|ab(?:zu)?meld\w*|ab(?:zu)?bestell\w*|beenden|kündig\w*)"
)
_NUMERIC: Final = re.compile(
    rf"\b(?:reply|text|send|antworte\w*|sende\w*|schreib\w*|tippe\w*)\s+(?:with\s+|mit\s+)?{_QUOTE}\d{{1,2}}{_QUOTE},?\s+"
    rf"(?:to|for|um|zum|zur|für)\s+(?:(?:be|get|the|from|all|our|sich|dich|euch|zu|vom|von)\s+)*{_LEAVE}"
    rf"|\b\d{{1,2}}\s*=\s*{_LEAVE}",
    re.IGNORECASE,
)
_ONLY_WAY: Final = re.compile(
    rf"\b(?:only|sole)\s+(?:way|method|means|option)\b[^.!?\n]{{0,40}}\b{_LEAVE}"
    r"|\bstop\b[^.!?\n]{0,20}\b(?:is|as)\s+the\s+only\s+(?:way|method|means|option)"
    rf"|\bonly\s+(?:by|with)\s+(?:replying|texting|sending)?\s*{_QUOTE}stop\b"
    rf"|\b(?:nur|ausschließlich|allein)\s+(?:mit|per|durch|über)\s+(?:\w+\s+)?{_QUOTE}stopp?\b"
    rf"|\beinzige\w*\s+(?:weg|möglichkeit|art)\b[^.!?\n]{{0,40}}\b{_LEAVE}",
    re.IGNORECASE,
)
_STOP_GLUED: Final = re.compile(r"\bstop(?:2|to|=)\w+", re.IGNORECASE)


def lint(
    text: str,
    *,
    brand: str,
    countries: Collection[str] = (),
    since_stop: SinceStop | None = None,
    age_gate: bool = False,
) -> list[Finding]:
    """Look at the text of a broadcast; errors come first.

    `countries` are those of the people it goes to (two capital letters). Without `since_stop` a text without STOP is
    always worth a word; with it only when the reminder is due. `age_gate` means that the lists ask for an age.
    """
    found = [*_unfilled(text), *_forbidden(text), *_way_out(text, countries, since_stop)]
    if brand.strip() and not _says(text, brand):
        # Not an error: the thread of the same number began with a welcome text that named us.
        found.append(_warn("no_brand", "", f"Name yourself, for example: “{brand.strip()}: …”"))
    if not age_gate:
        found += _topics(text)
    return _worst_first(found)


def lint_notice(text: str, facts: Facts) -> list[Finding]:
    """Look at the words shown when consent is asked, which are the welcome text too; errors come first.

    It needs brand, programme, frequency, HELP, STOP and the privacy link of `facts`, the line on rates where
    they apply, and at most two parts.
    """
    return _worst_first([*_missing(text, facts), *_forbidden(text), *_size(text)])


def adverts(text: str) -> list[str]:
    """Return what praises or sells in a text, as it is written there; a question that asks for consent has none."""
    return [found[0] for found in _advert_words().finditer(text)]


def _missing(text: str, facts: Facts) -> Iterator[Finding]:
    wanted = (
        ("no_brand", facts.brand, "Say who is writing: “{}”."),
        ("no_programme", facts.list_name, "Name the list: “{}”."),
        ("no_frequency", facts.frequency, "Say how often, in the words of the list's promise: “{}”."),
        ("no_privacy", facts.privacy_url, "Add the link to the privacy page: {}"),
    )
    for code, fact, advice in wanted:
        if not fact.strip():
            yield _error(code, "", "The list or the brand lacks this fact; fill it in there first.")
        elif not _says(text, fact):
            yield _error(code, "", advice.format(fact.strip()))
    if not _HELP.search(text):
        yield _error("no_help", "", "Say how to get help, for example: Reply HELP for help.")
    if not STOP_WORD.search(text):
        yield _error("no_stop", "", "Say how to leave, for example: Reply STOP to end at any time.")
    if facts.rates_apply and not _RATES.search(text):
        yield _error("no_rates", "", "Add the line that carriers ask for: Msg&data rates may apply.")


def _size(text: str) -> Iterator[Finding]:
    parts = measure(text)
    if parts.count > NOTICE_PARTS:
        yield _error("too_long", "", f"It takes {parts.count} parts; shorten it to {NOTICE_PARTS}.")
    if strange := offenders(text):
        signs = " ".join(strange[:6])
        yield _warn(
            "ucs2", signs, "These characters make each part hold 70 instead of 160; write them plainly."
        )


def _unfilled(text: str) -> Iterator[Finding]:
    if gaps := gaps_in(text):
        places = ", ".join(f"[[{gap}]]" for gap in gaps)
        yield _error("gap", places, f"Fill in {places}: people would read the brackets.")


def _forbidden(text: str) -> Iterator[Finding]:
    if short := _short_link().search(text):
        yield _error("short_link", short[0], "Carriers filter public link shorteners. Use the full link.")
    if numeric := _NUMERIC.search(text):
        yield _error(
            "numeric_opt_out", numeric[0], "A number is no way to leave. Write: Reply STOP to leave."
        )
    if only := _ONLY_WAY.search(text):
        yield _error(
            "only_way", only[0], "People may leave in any way they like. Do not call STOP the only one."
        )
    if glued := _STOP_GLUED.search(text):
        yield _warn("stop_glued", glued[0], "Carriers dislike this spelling. Write: Reply STOP to leave.")


def _way_out(text: str, countries: Collection[str], since_stop: SinceStop | None) -> Iterator[Finding]:
    if STOP_WORD.search(text):
        return
    if strict := sorted(set(countries) & set(_data()["stop_each_time"])):
        places = ", ".join(strict)
        advice = f"Some people are in {places}, where each message says STOP. Add: Reply STOP to leave."
        yield _error("stop_each_time", places, advice)
    elif since_stop is None:
        yield _warn("no_stop", "", "It does not say how to leave. Add a line such as: Reply STOP to leave.")
    elif since_stop.messages + 1 >= REMIND_EVERY or since_stop.days >= REMIND_AFTER_DAYS:
        advice = (
            f"People have not read the word STOP for {since_stop.messages} messages and {since_stop.days} days. "
            "Add: Reply STOP to leave."
        )
        yield _warn("stop_due", "", advice)


def _topics(text: str) -> Iterator[Finding]:
    for topic, expression in _topic_words().items():
        if word := expression.search(text):
            advice = f"Carriers let {topic} through only to people whose age you asked for. Look whether this is meant."
            yield _warn(f"topic_{topic}", word[0], advice)


def _says(text: str, phrase: str) -> bool:
    return " ".join(phrase.split()).rstrip(".").casefold() in " ".join(text.split()).casefold()


def _error(code: str, where: str, advice: str) -> Finding:
    return Finding(Severity.ERROR, code, where, advice)


def _warn(code: str, where: str, advice: str) -> Finding:
    return Finding(Severity.WARNING, code, where, advice)


def _worst_first(found: list[Finding]) -> list[Finding]:
    return sorted(found, key=lambda one: one.severity is not Severity.ERROR)


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads(files("app.domain.policy").joinpath("data/content.toml").read_text("utf-8"))


@cache
def _short_link() -> re.Pattern[str]:
    domains = "|".join(map(re.escape, _data()["shorteners"]))
    return re.compile(rf"(?<![\w.-])(?<!\w/)(?:{domains})/\S*", re.IGNORECASE)


@cache
def _topic_words() -> Mapping[str, re.Pattern[str]]:
    return {topic: _words(words) for topic, words in _data()["topics"].items()}


@cache
def _advert_words() -> re.Pattern[str]:
    return re.compile(rf"{_words(_data()['adverts']).pattern}|\d\s?%|[€$£]\s?\d|!", re.IGNORECASE)


def _words(words: Collection[str]) -> re.Pattern[str]:
    endings = "|".join(re.escape(word.rstrip("*")) + (r"\w*" if word.endswith("*") else "") for word in words)
    return re.compile(rf"(?<![\w-])(?:{endings})(?!\w)", re.IGNORECASE)

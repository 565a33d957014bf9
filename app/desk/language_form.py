"""The fields for other words in a language, on every channel and on one, in the form of a draft."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from babel import Locale, UnknownLocaleError
from flask import request

from app.desk.languages import LANGUAGE_NAMES
from app.desk.languages import gettext as _
from app.domain.channels import CHANNELS, channel_named
from app.domain.wording import Scope, scope
from app.services.manage_users import LANGUAGES
from app.storage import variants
from app.storage.database import db
from app.storage.models import BroadcastList

_FIELD: Final = re.compile(r"words_([a-z]{2})(?:_([a-z]+))?")


class Field(NamedTuple):
    """One text: the name of its field, and the channel it is for; None: all of them."""

    name: str
    channel: str | None
    text: str


class Tongue(NamedTuple):
    """A language with its fields, that for all channels first."""

    code: str
    name: str
    fields: Sequence[Field]

    @property
    def is_open(self) -> bool:
        """Tell whether something is written there."""
        return any(one.text for one in self.fields)


def language_name(code: str) -> str:
    """`Deutsch`: a language as its speakers call it; the code of one that nobody knows."""
    if code in LANGUAGE_NAMES:
        return LANGUAGE_NAMES[code]
    try:
        name = Locale(code).get_language_name(code)
    except (UnknownLocaleError, ValueError):
        return code
    return f"{name[:1].upper()}{name[1:]}" if name else code


def scope_name(key: str) -> str:
    """`Telegram`, `Deutsch`, or `Telegram, Deutsch`: for whom other words are."""
    one = scope(key)
    channel = channel_named(one.channel).name if one.channel else ""
    return ", ".join(filter(None, (channel, language_name(one.language) if one.language else "")))


def given() -> dict[str, str]:
    """The words that were written for languages by `Scope.key`; a field that was emptied is there, too."""
    found = {}
    for name, text in request.form.items():
        if (field := _FIELD.fullmatch(name)) and (field[2] or "sms") in CHANNELS:
            found[Scope(field[2] or "", field[1]).key] = text.replace("\r\n", "\n").strip()
    return found


def tongues(
    values: Mapping[str, Any],
    stored: Mapping[str, str],
    lists: Sequence[BroadcastList],
    chosen: Collection[int],
    channels: Sequence[str],
) -> list[Tongue]:
    """Fields for each language but the one that all chosen lists speak, in which the text itself is written.

    `values` are those of the form, `stored` the other words that the draft has, `channels` those besides the first.
    """
    spoken = {row.language for row in lists if row.id in chosen}
    there = {one.language for one in map(scope, stored) if one.language} | _written(values)
    own = spoken if len(spoken) == 1 else set()
    return [
        Tongue(code, language_name(code), [_field(values, stored, one, code) for one in ("", *channels)])
        for code in sorted(({*_known()} - own) | there)
    ]


def texts_of(broadcast_id: int) -> list[tuple[str, str]]:
    """For whom each of the other words of a broadcast are, and the words."""
    found = variants.variants_of(db.session(), broadcast_id)
    return [(_("In other words: %(who)s", who=scope_name(key)), text) for key, text in found.items()]


def _known() -> set[str]:
    """The languages of the desk and of people: those in which they were asked, and those of imports."""
    return {*LANGUAGES, *variants.languages_of_people(db.session())}


def _written(values: Mapping[str, Any]) -> set[str]:
    """The languages in which the form has words."""
    found = ((_FIELD.fullmatch(name), text) for name, text in values.items())
    return {field[1] for field, text in found if field and str(text).strip()}


def _field(values: Mapping[str, Any], stored: Mapping[str, str], channel: str, language: str) -> Field:
    name = f"words_{language}_{channel}" if channel else f"words_{language}"
    text = values.get(name, stored.get(Scope(channel, language).key, ""))
    return Field(name, channel or None, str(text))

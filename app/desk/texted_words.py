"""Words that people can text, language by language, and the operator's own among them."""

from typing import Any, Final

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.forms import Errors, posted
from app.desk.languages import gettext as _
from app.desk.languages import lazy_gettext as _l
from app.desk.refusals import translated
from app.domain.keywords import LANGUAGES
from app.services import manage_words
from app.services.controller import NotFound, Refused
from app.storage.models.accounts import Role

texted_words = room("texted_words", __name__)

MEANINGS: Final = {
    "stop": _l("STOP: ends everything"),
    "start": _l("START: joins"),
    "help": _l("HELP: says who we are"),
}
NAMES: Final = {
    "ar": _l("Arabic"),
    "de": _l("German"),
    "en": _l("English"),
    "es": _l("Spanish"),
    "fr": _l("French"),
    "hi": _l("Hindi"),
    "it": _l("Italian"),
    "ja": _l("Japanese"),
    "nl": _l("Dutch"),
    "pl": _l("Polish"),
    "pt": _l("Portuguese"),
    "ru": _l("Russian"),
    "sw": _l("Swahili"),
    "tr": _l("Turkish"),
    "uk": _l("Ukrainian"),
    "zh": _l("Chinese"),
}


@texted_words.get("/words")
@allow(Role.EDITOR)
def index() -> ResponseReturnValue:
    """Every word of one language; admins add and take back their own."""
    return _page(_language(), {}, {})


@texted_words.post("/words")
@allow(Role.ADMIN)
def add() -> ResponseReturnValue:
    """Add a word; one that means something already is refused with what it means."""
    language, raw = _language(), posted()
    try:
        manage_words.add(
            str(raw.get("word", "")), str(raw.get("meaning", "")), language, by=me().actor, now=utcnow()
        )
    except Refused as error:
        return _page(language, raw, {"word": translated(error)}), 422
    flash(_("People can text “%(word)s” now.", word=raw.get("word", "")))
    return redirect(url_for("texted_words.index", language=language))


@texted_words.post("/words/<int:word_id>/remove")
@allow(Role.ADMIN)
def remove(word_id: int) -> ResponseReturnValue:
    """Take back a word of our own."""
    try:
        word = manage_words.remove(word_id, by=me().actor, now=utcnow())
    except NotFound:
        abort(404)
    flash(_("“%(word)s” means nothing any more.", word=word))
    return redirect(url_for("texted_words.index", language=_language()))


def _language() -> str:
    asked = request.values.get("language", "en")
    return asked if asked in LANGUAGES else "en"


def _page(language: str, values: dict[str, Any], errors: Errors) -> str:
    return render_template(
        "texted_words.html",
        spoken=language,
        rows=manage_words.words_in(language),
        names=sorted(NAMES.items(), key=lambda item: str(item[1])),
        name=NAMES[language],
        meanings=MEANINGS,
        values=values,
        errors=errors,
    )

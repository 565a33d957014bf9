"""Facts about what a text asks for: the agreed outcomes and words, whose word counts where, and the evidence."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.keywords import LANGUAGES, MATCHER_VERSION, Decision, Outcome, classify, squeeze
from app.domain.keywords.languages import free_text
from app.domain.keywords.tables import words_for

DATA = Path(__file__).parent.parent / "data"
LISTS = {"sport": "sport", "news": "news", "jobs": "jobs", "rivernews": "river"}

# Normalised. English has no line of its own: its words are the universal ones.
STOP_WORDS = {
    "de": "stopp abmelden abbestellen beenden austragen",
    "fr": "arret arrete arreter arretez desabonner desabonnement desinscription desinscrire",
    "es": "alto baja cancelar parar para detener salir revocar nomas basta yabasta",
    "it": "basta ferma annulla cancellami disiscrivi disiscrivimi",
    "pt": "parar pare para sair cancelar descadastrar remover",
    "nl": "stoppen afmelden uitschrijven",
    "pl": "wypisz wypiszmnie rezygnuje anuluj koniec",
    "tr": "dur durdur iptal ret cik",
    "ar": "ايقاف الغاء الغاءالاشتراك وقف توقف",
    "ru": "стоп отписка отписаться отмена",
    "uk": "стоп відписка відписатися скасувати",
    "ja": "停止 配信停止 ストップ 解除 登録解除 退会",
    "zh": "停止 退订 取消订阅 退訂 取消訂閱 td",
    "hi": "बंद बंदकरो बंदकरें रोकें bandkaro स्टॉप",
    "sw": "acha sitisha sitaki jiondoe",
}
UNIVERSAL_STOP_WORDS = (
    "arret cancel end optout quit remove revoke stop stop2quit stopall stopmsg stopp stopquit stopsms stoptext "
    "stoptoquit stoptxt td unsub unsubscribe"
)


def vectors() -> list[tuple[str, str, str, str]]:
    rows = (DATA / "keyword-vectors.tsv").read_text(encoding="utf-8").splitlines()[1:]
    columns = [row.split("\t") for row in rows]
    return [(json.loads(text), lang, state, expected) for text, _, lang, state, expected, _ in columns]


@pytest.mark.parametrize(("text", "lang", "state", "expected"), vectors())
def test_t1_every_agreed_text_has_its_agreed_outcome(text: str, lang: str, state: str, expected: str) -> None:
    decision = classify(text, languages=("en", lang), state=state, lists=LISTS)

    assert in_words(decision) == expected


def test_the_agreed_texts_are_all_there() -> None:
    assert len(vectors()) == 240


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_stop_words_of_a_language_are_the_agreed_ones(language: str) -> None:
    agreed = f"{UNIVERSAL_STOP_WORDS} {STOP_WORDS.get(language, '')}"

    assert set(words_for((language,)).stop) == set(agreed.split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("word", "outcome"), [("STOP", Outcome.STOP), ("Start", Outcome.START), ("help?", Outcome.HELP)]
)
def test_t32_stop_start_and_help_work_in_every_language(language: str, word: str, outcome: Outcome) -> None:
    assert classify(word, languages=(language,)).outcome is outcome


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_a_language_means_two_things(language: str) -> None:
    words = words_for((language,))
    meanings = [words.stop, words.start, words.help, words.yes, words.no]

    assert len(set().union(*meanings)) == sum(map(len, meanings))


@pytest.mark.parametrize(
    ("word", "own", "other"),
    [("dur", "tr", "fr"), ("alto", "es", "it"), ("para", "pt", "tr"), ("ret", "tr", "en")],
)
def test_t32_a_word_that_is_harmless_elsewhere_stops_in_its_own_language_only(
    word: str, own: str, other: str
) -> None:
    assert classify(word, languages=(own,)).outcome is Outcome.STOP
    assert classify(word, languages=(other,)).outcome is Outcome.NONE


@pytest.mark.parametrize("tag", ["de", "DE", "de-AT", "de_CH"])
def test_a_language_may_name_its_region(tag: str) -> None:
    assert classify("Abmelden", languages=(tag,)).outcome is Outcome.STOP


def test_a_language_without_words_of_its_own_still_has_the_universal_ones() -> None:
    assert classify("STOP", languages=("da",)).outcome is Outcome.STOP


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sport", "START_TOPIC:sport"),
        ("Sport!", "START_TOPIC:sport"),
        ("River News", "START_TOPIC:river"),
        ("JOIN river news", "START_TOPIC:river"),
        ("subscribe sport", "START_TOPIC:sport"),
        ("STOP river-news", "STOP_TOPIC:river"),
        ("cancel sport", "STOP_TOPIC:sport"),
        ("STOP all", "STOP"),
        ("Stop tutti", "STOP"),
        ("START opera", "NONE"),
        ("sport news", "NONE"),
        ("HELP sport", "NONE"),
    ],
)
def test_a_lists_word_joins_it_and_after_stop_leaves_it(text: str, expected: str) -> None:
    assert in_words(classify(text, lists=LISTS)) == expected


@pytest.mark.parametrize("word", ["stop", "help", "start"])
def test_a_list_cannot_take_a_word_that_everybody_needs(word: str) -> None:
    assert classify(word, lists={word: "trap"}).outcome == word.upper()


def test_stop_everything_stops_everything_even_if_a_list_has_that_word() -> None:
    assert classify("STOP everything", lists={"everything": "trap"}).outcome is Outcome.STOP


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ST0P", "STOP"), ("5top", "STOP"), ("$top", "STOP"), ("start!", "START"), ("ST@RT", "NONE"), ("5tart", "NONE"),
     ("h3lp", "NONE"), ("5p0rt", "NONE")],
)  # fmt: skip
def test_signs_in_place_of_letters_count_for_stop_alone(text: str, expected: str) -> None:
    assert classify(text, lists=LISTS).outcome == expected


@pytest.mark.parametrize("text", ["🛑", "🛑🛑", "⛔️!", "🚫 🔕"])
def test_stop_signs_alone_are_a_stop(text: str) -> None:
    assert classify(text) == Decision(Outcome.STOP, "emoji", "stop-sign")


@pytest.mark.parametrize("text", ["👍", "🛑👍", "no 🛑 here", "!", "👍🏽"])
def test_other_emoji_are_not(text: str) -> None:
    assert classify(text).outcome is Outcome.NONE


@pytest.mark.parametrize(
    "text", ["yes", "YES please", "hello", "ok", "start please", "I want to start", "unstoppable", "sttart"]
)
def test_nothing_but_a_command_starts(text: str) -> None:
    assert classify(text, languages=LANGUAGES, state="stopped").outcome is Outcome.NONE


@pytest.mark.parametrize(
    ("state", "yes", "no"),
    [
        ("pending", "CONFIRM", "DECLINE"),
        ("active", "NONE", "REVIEW"),
        ("paused", "NONE", "REVIEW"),
        ("stopped", "NONE", "NONE"),
        ("unknown", "NONE", "NONE"),
    ],
)
def test_yes_and_no_answer_an_open_question_and_a_no_to_a_running_list_is_held(
    state: str, yes: str, no: str
) -> None:
    for language, words in (("en", "yes no"), ("de", "ja nein"), ("fr", "oui non")):
        said = [classify(word, languages=(language,), state=state).outcome for word in words.split()]
        assert said == [yes, no]


def test_a_decision_carries_its_evidence() -> None:
    decision = classify("Stopp!", languages=("de",))

    assert decision == Decision(Outcome.STOP, "exact", "de.stop:stopp", None, MATCHER_VERSION)
    assert classify("STOP", languages=("de",)).rule == "en.stop:stop"


def test_a_list_decision_names_the_words_and_the_list() -> None:
    decision = classify("STOP sport", lists={squeeze("Sport"): "list-7"})

    assert (decision.rule, decision.list_key) == ("en.stop:stop+list", "list-7")


@given(st.text())
@example("\u0345 dont text me")
@settings(max_examples=200, deadline=None)
def test_any_text_gives_a_decision_that_explains_itself_and_fits_its_columns(text: str) -> None:
    decision = classify(text, languages=LANGUAGES, lists=LISTS, state="active")

    assert decision.outcome in Outcome
    assert decision.explain().endswith(".")
    assert (len(decision.rule) <= 60, len(decision.tier) <= 20, len(decision.matcher_version) <= 20) == (
        True,
    ) * 3


def in_words(decision: Decision) -> str:
    """As the vectors write it: a list is a topic."""
    name = decision.outcome.value.replace("_LIST", "_TOPIC")
    return f"{name}:{decision.list_key}" if decision.list_key else name


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_phrase_is_read_otherwise_by_another_python(code: str) -> None:
    """Before Python 3.11.5 a possessive repeat of a group goes wrong (github.com/python/cpython/issues/106052)."""
    frames = [frame for kind in free_text(code)._frames.values() for frame in kind]

    assert frames
    assert [frame.rule for frame in frames if re.search(r"\)[*+?]\+", frame.pattern.pattern)] == []

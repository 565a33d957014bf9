"""Facts about commands: a whole message that is a command is found, in sixteen languages, and nothing else is."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.keywords import LANGUAGES, MATCHER_VERSION, Decision, Outcome, classify, squeeze
from app.domain.keywords.tables import words_for

DATA = Path(__file__).parent.parent / "data"
LISTS = {"sport": "sport", "news": "news", "jobs": "jobs", "rivernews": "river"}
COMMANDS = {"STOP", "STOP_LIST", "START", "START_LIST", "HELP"}

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


def in_our_words(expected: str) -> str:
    """The vectors say TOPIC for a list, and know outcomes that take a tolerant matcher or an open question."""
    ours = expected.replace("_TOPIC", "_LIST")
    return ours if ours.partition(":")[0] in COMMANDS else "NONE"


@pytest.mark.parametrize(("text", "lang", "state", "expected"), vectors())
def test_known_vectors(text: str, lang: str, state: str, expected: str) -> None:
    decision = classify(text, languages=("en", lang), state=state, lists=LISTS)

    assert in_words(decision) == in_our_words(expected)


def test_the_vectors_are_all_there() -> None:
    commands = [row for row in vectors() if in_our_words(row[3]) != "NONE"]

    assert (len(vectors()), len(commands)) == (240, 100)


@pytest.mark.parametrize("languages", [("en",), LANGUAGES])
def test_no_real_message_is_taken_for_a_command(languages: tuple[str, ...]) -> None:
    lines = (DATA / "sms-spam-collection.tsv").read_text(encoding="utf-8").splitlines()
    texts = [line.partition("\t")[2] for line in lines]

    commands = [text for text in texts if classify(text, languages=languages).outcome is not Outcome.NONE]

    assert len(texts) == 5_574
    assert commands == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_stop_words_of_a_language_are_the_agreed_ones(language: str) -> None:
    agreed = f"{UNIVERSAL_STOP_WORDS} {STOP_WORDS.get(language, '')}"

    assert set(words_for((language,)).stop) == set(agreed.split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("word", "outcome"), [("STOP", Outcome.STOP), ("Start", Outcome.START), ("help?", Outcome.HELP)]
)
def test_stop_start_and_help_work_in_every_language(language: str, word: str, outcome: Outcome) -> None:
    assert classify(word, languages=(language,)).outcome is outcome


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_a_language_means_two_things(language: str) -> None:
    words = words_for((language,))

    assert set(words.stop).isdisjoint(words.start)
    assert set(words.help).isdisjoint([*words.stop, *words.start])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_found_in_any_case_with_marks_around_it(language: str) -> None:
    words = words_for((language,))

    for kind, outcome in (("stop", Outcome.STOP), ("start", Outcome.START), ("help", Outcome.HELP)):
        for word in getattr(words, kind):
            assert classify(f" “{word.upper()}!” ", languages=(language,)).outcome is outcome


@pytest.mark.parametrize(
    ("word", "own", "other"),
    [("dur", "tr", "fr"), ("alto", "es", "it"), ("para", "pt", "tr"), ("ret", "tr", "en")],
)
def test_a_word_that_is_harmless_elsewhere_stops_in_its_own_language_only(
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
        ("sport", "START_LIST:sport"),
        ("Sport!", "START_LIST:sport"),
        ("River News", "START_LIST:river"),
        ("JOIN river news", "START_LIST:river"),
        ("subscribe sport", "START_LIST:sport"),
        ("STOP river-news", "STOP_LIST:river"),
        ("cancel sport", "STOP_LIST:sport"),
        ("STOP all", "STOP"),
        ("Stop tutti", "STOP"),
        ("STOP opera", "NONE"),
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


@pytest.mark.parametrize("text", ["ST0P", "5top", "$top", "ST@RT", "5tart", "start!", "h3lp", "5p0rt"])
def test_signs_in_place_of_letters_count_for_stop_alone(text: str) -> None:
    decision = classify(text, lists=LISTS)

    expected = {"ST0P": "STOP", "5top": "STOP", "$top": "STOP", "start!": "START"}
    assert decision.outcome == expected.get(text, "NONE")


@pytest.mark.parametrize("text", ["🛑", "🛑🛑", "⛔️!", "🚫 🔕"])
def test_stop_signs_alone_are_a_stop(text: str) -> None:
    assert classify(text) == Decision(Outcome.STOP, "emoji", "stop-sign")


@pytest.mark.parametrize("text", ["👍", "🛑👍", "no 🛑 here", "!", "👍🏽"])
def test_other_emoji_are_not(text: str) -> None:
    assert classify(text).outcome is Outcome.NONE


@pytest.mark.parametrize(
    "text", ["yes", "YES please", "hello", "ok", "start please", "I want to start", "unstoppable"]
)
def test_nothing_but_a_command_starts(text: str) -> None:
    assert classify(text, languages=LANGUAGES, state="stopped").outcome is Outcome.NONE


def test_a_decision_carries_its_evidence() -> None:
    decision = classify("Stopp!", languages=("de",))

    assert decision == Decision(Outcome.STOP, "exact", "de.stop:stopp", None, MATCHER_VERSION)


def test_a_list_decision_names_the_words_and_the_list() -> None:
    decision = classify("STOP sport", lists={squeeze("Sport"): "list-7"})

    assert (decision.rule, decision.list_key) == ("en.stop:stop+list", "list-7")


@given(st.text())
def test_any_text_gives_a_decision(text: str) -> None:
    assert classify(text, languages=LANGUAGES, lists=LISTS).outcome in Outcome


def in_words(decision: Decision) -> str:
    return f"{decision.outcome}:{decision.list_key}" if decision.list_key else str(decision.outcome)

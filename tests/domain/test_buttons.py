"""Buttons: what may be written, what fits where, the same in words, and ids that nobody else can make."""

import pytest

from app.domain import button_codes
from app.domain.button_codes import Pressed
from app.domain.buttons import (
    BadButton,
    Button,
    ButtonKind,
    ButtonLimits,
    Rich,
    TemplateUse,
    as_text,
    check,
    check_template,
    from_json,
    numbered,
    template_to_json,
    to_json,
)

YES, NO = Button(ButtonKind.REPLY, "Yes"), Button(ButtonKind.REPLY, "No")
STOP = Button(ButtonKind.REPLY, "Stop", "STOP")
MORE = Button(ButtonKind.LINK, "Read more", "https://news.example.org/bridge")


def test_answers_are_numbered_commands_keep_their_word_and_links_their_address() -> None:
    leave = Button(ButtonKind.REPLY, "No more news", "stop")

    assert as_text([STOP, YES, NO]) == "1 Yes, 2 No\nSTOP"
    assert as_text([YES, MORE, leave]) == (
        "1 Yes\nSTOP: No more news\nRead more: https://news.example.org/bridge"
    )
    assert as_text([]) == ""


def test_a_number_or_a_label_names_an_answer_and_never_a_command_or_a_link() -> None:
    assert numbered([STOP, YES, MORE, NO]) == {"1": 1, "2": 3, "yes": 1, "no": 3}


@pytest.mark.parametrize(
    ("limits", "buttons", "fits"),
    [
        (ButtonLimits(3, 1, 0), [YES, NO, STOP], True),
        (ButtonLimits(2, 1, 0), [YES, NO, STOP], False),
        (ButtonLimits(3, 1, 0), [MORE], True),
        (ButtonLimits(3, 1, 0), [YES, MORE], False),
        (ButtonLimits(3, 1, 3), [YES, MORE], True),
        (ButtonLimits(9, 9, 2), [YES, NO, MORE], False),
        (ButtonLimits(9, 9, 9, label=8), [MORE], False),
        (ButtonLimits(), [], True),
        (ButtonLimits(), [YES], False),
    ],
)
def test_what_fits_under_a_message_is_number_kind_and_length(
    limits: ButtonLimits, buttons: list[Button], fits: bool
) -> None:
    assert limits.carry(buttons) is fits


@pytest.mark.parametrize(
    ("button", "problem"),
    [
        (Button(ButtonKind.REPLY, ""), "1 to 40 characters"),
        (Button(ButtonKind.REPLY, "x" * 41), "1 to 40 characters"),
        (Button(ButtonKind.REPLY, "two\nlines"), "one line"),
        (Button(ButtonKind.REPLY, "Hello {{city}}"), "braces"),
        (Button(ButtonKind.REPLY, "2"), "number of an answer"),
        (Button(ButtonKind.LINK, "More", "http://example.org"), "https://"),
        (Button(ButtonKind.LINK, "More", "https://user@example.org"), "https://"),
        (Button(ButtonKind.LINK, "More", "https://example.org/a b"), "https://"),
        (Button(ButtonKind.LINK, "More", "https://[bad"), "https://"),
        (Button(ButtonKind.REPLY, "yes"), "twice"),
    ],
)
def test_a_button_that_cannot_be_used_is_named_with_its_fault(button: Button, problem: str) -> None:
    with pytest.raises(BadButton, match=problem) as caught:
        check([YES, button])

    assert caught.value.where == "button 2"


def test_a_message_has_ten_buttons_at_most() -> None:
    many = [Button(ButtonKind.REPLY, f"Answer {letter}") for letter in "abcdefghijk"]

    check(many[:10])
    with pytest.raises(BadButton, match="10 at most"):
        check(many)


@pytest.mark.parametrize("use", [TemplateUse("no blanks", "en"), TemplateUse("news", "English")])
def test_a_template_needs_a_name_and_a_language_as_platforms_write_them(use: TemplateUse) -> None:
    check_template(TemplateUse("weekly_news", "en_US", ("{{text}}",)))
    with pytest.raises(BadButton, match="Template"):
        check_template(use)


def test_what_is_stored_is_read_back_as_it_was() -> None:
    rich = Rich((YES, STOP, MORE), preview=False, template=TemplateUse("news", "en", ("a", "{{text}}")))

    assert from_json(to_json(rich), template_to_json(rich.template)) == rich
    assert from_json({}, None) == Rich()


def tag(body: bytes) -> bytes:
    return bytes((sum(body) + place) % 251 for place in range(32))


def test_an_id_says_which_button_and_only_the_one_that_we_made_is_read() -> None:
    made = button_codes.write(Pressed(12, 3), tag)

    assert len(made) <= 64  # Telegram's limit
    assert button_codes.read(f" {made}\n", lambda body: [b"of another key, long ago", tag(body)]) == (12, 3)
    assert button_codes.read(made, lambda body: [b"of another key, long ago"]) is None
    other = button_codes.write(Pressed(12, 2), tag)
    assert button_codes.read(other[:13] + made[13:], lambda body: [tag(body)]) is None
    assert button_codes.read("STOP", lambda body: [tag(body)]) is None

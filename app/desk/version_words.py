"""What changed beside the text from one version of a draft to the next: buttons, templates and files, in words."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.desk.languages import gettext as _
from app.domain.buttons import Button, ButtonKind, Rich, TemplateUse, from_json
from app.domain.channels import channel_named
from app.domain.media.attached import Otherwise
from app.services.rich_messages import EVERYWHERE
from app.storage.versions import File, Said


class Extras(NamedTuple):
    """What goes with the text on one channel, or ("") on all that have nothing of their own."""

    rich: Rich
    file: File | None


NOTHING = Extras(Rich(), None)


def beside(now: Said, before: Said | None) -> list[str]:
    """Say what a version changed since the one before it; where nobody knows that one, what it has."""
    if now.rich is None:
        return [
            _("Buttons and files were not kept with this version: taking it back leaves them as they are.")
        ]
    here = _by_channel(now)
    if before is None or before.rich is None:
        return [_on(channel, one) for channel, extras in here.items() for one in _has(extras)]
    there = _by_channel(before)
    return [
        _on(channel, one)
        for channel in sorted({*here, *there})
        for one in _changed(here.get(channel, NOTHING), there.get(channel, NOTHING), channel)
    ]


def _by_channel(said: Said) -> dict[str, Extras]:
    rich = {
        channel: from_json(row["content"] or {}, row["template"])
        for channel, row in (said.rich or {}).items()
    }
    return {
        channel: Extras(rich.get(channel, Rich()), said.files.get(channel))
        for channel in sorted({*rich, *said.files})
    }


def _on(channel: str, words: str) -> str:
    if channel == EVERYWHERE:
        return words
    return _("On %(channel)s: %(what)s", channel=channel_named(channel).name, what=words)


def _has(extras: Extras) -> Iterator[str]:
    for one in extras.rich.buttons:
        yield _("Button “%(label)s”: %(does)s.", label=one.label, does=_does(one))
    if use := extras.rich.template:
        yield _("Approved template: %(template)s.", template=_template(use))
    if extras.file:
        yield _("File: %(name)s.", name=extras.file.name)


def _changed(now: Extras, before: Extras, channel: str) -> Iterator[str]:
    yield from _of_buttons(now.rich.buttons, before.rich.buttons)
    if channel == EVERYWHERE and now.rich.preview != before.rich.preview:
        yield (
            _("Apps may show a picture of the page behind a link again.")
            if now.rich.preview
            else _("Apps may no longer show a picture of the page behind a link.")
        )
    yield from _of_template(now.rich.template, before.rich.template)
    yield from _of_file(now.file, before.file)


def _of_buttons(now: Sequence[Button], before: Sequence[Button]) -> Iterator[str]:
    """A button is known by its label, which no two of a message share."""
    here, there = {one.label: one for one in now}, {one.label: one for one in before}
    for label, one in here.items():
        if label not in there:
            yield _("The button “%(label)s” was added: %(does)s.", label=label, does=_does(one))
        elif one != there[label]:
            yield _("The button “%(label)s” was changed: now %(does)s.", label=label, does=_does(one))
    for label in there:
        if label not in here:
            yield _("The button “%(label)s” was removed.", label=label)
    if [one for one in here if one in there] != [one for one in there if one in here]:
        yield _("The order of the buttons was changed: %(labels)s.", labels=", ".join(here))


def _does(button: Button) -> str:
    if button.kind is ButtonKind.LINK:
        return _("a link to %(url)s", url=button.value)
    return _("an answer") if button.is_answer else _("the word %(word)s", word=button.value)


def _of_template(now: TemplateUse | None, before: TemplateUse | None) -> Iterator[str]:
    if now == before:
        return
    if now is None:
        yield _("The approved template was removed.")
    elif before is None:
        yield _("An approved template was added: %(template)s.", template=_template(now))
    else:
        yield _("The approved template was changed: now %(template)s.", template=_template(now))


def _template(use: TemplateUse) -> str:
    words = f"{use.name} ({use.language})" if use.language else use.name
    return ": ".join((words, " | ".join(use.variables))) if use.variables else words


def _of_file(now: File | None, before: File | None) -> Iterator[str]:
    if now is None and before is not None:
        yield _("The file %(name)s was removed.", name=before.name)
    elif now is not None and before is None:
        yield _("A file was added: %(name)s.", name=now.name)
    elif now is not None and before is not None:
        yield from _of_same_file(now, before)


def _of_same_file(now: File, before: File) -> Iterator[str]:
    if now.media_id != before.media_id:
        yield _("Another file took the place of %(before)s: %(name)s.", before=before.name, name=now.name)
    elif now.name != before.name:
        yield _("The file has another name: %(name)s.", name=now.name)
    if now.alt != before.alt:
        yield _("The file’s description was changed: “%(alt)s”.", alt=now.alt)
    if now.otherwise != before.otherwise:
        instead = {
            Otherwise.LINK: _("a link to it, below the text"),
            Otherwise.WORDS: _("its description, below the text"),
            Otherwise.NOTHING: _("nothing but the text"),
        }[Otherwise(now.otherwise)]
        yield _("Where a channel does not carry the file, people now get: %(instead)s.", instead=instead)

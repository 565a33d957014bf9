"""The pictures of the documentation are those that the command makes, each in its four looks, none too heavy."""

import re

from tests.browser.demo import ROOT
from tests.browser.pictures import FOLDER, LARGEST, WIDTHS, file_names, width_of

_PICTURE = re.compile(r"images/([\w-]+\.png)")


def test_every_picture_is_made_by_the_command_and_none_is_missing() -> None:
    assert {file.name for file in FOLDER.iterdir()} == file_names()


def test_every_picture_that_a_page_shows_is_one_of_them() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]

    shown = {name for page in pages for name in _PICTURE.findall(page.read_text(encoding="utf-8"))}

    assert shown
    assert shown <= file_names()


def test_every_picture_has_the_width_of_its_name_and_is_light_enough() -> None:
    for name in file_names():
        picture = (FOLDER / name).read_bytes()
        assert width_of(picture) == WIDTHS["-360" if "-360" in name else ""], name
        assert len(picture) < LARGEST, f"{name} has {len(picture)} bytes"

"""The settings file of an installation: the environment wins, a bad line is named, nobody else may read it."""

from pathlib import Path

import pytest

from app.commands.settings_file import BadSettingsFile, load_home_settings, write_home_settings


def test_what_is_exported_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "settings.env").write_text("A=file\nB = b=c \n\n# note\nC=\n", encoding="utf-8")
    env = {"TIDINGS_HOME": str(tmp_path), "A": "exported"}

    load_home_settings(env)

    assert (env["A"], env["B"]) == ("exported", "b=c")


def test_without_a_file_nothing_happens(tmp_path: Path) -> None:
    env = {"TIDINGS_HOME": str(tmp_path)}

    assert load_home_settings(env) is None
    assert env == {"TIDINGS_HOME": str(tmp_path)}


def test_a_line_that_is_no_setting_is_named(tmp_path: Path) -> None:
    (tmp_path / "settings.env").write_text("A=1\nnonsense\n", encoding="utf-8")

    with pytest.raises(BadSettingsFile, match="line 2"):
        load_home_settings({"TIDINGS_HOME": str(tmp_path)})


def test_what_is_written_is_read_again_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "home" / "settings.env"

    write_home_settings(path, {"SECRET_KEY": "x" * 32})

    env = {"TIDINGS_HOME": str(path.parent)}
    assert load_home_settings(env) == path
    assert env["SECRET_KEY"] == "x" * 32
    assert path.stat().st_mode & 0o077 == 0

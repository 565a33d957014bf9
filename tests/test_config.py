"""Settings: every one that is missing or wrong is named at once, with an example."""

import pytest

from app.config import BadSettings, Settings, make_master_key

GOOD = {
    "DATABASE_URL": "postgresql://tidings@localhost/tidings",
    "REDIS_URL": "redis://localhost:6379/0",
    "SECRET_KEY": "x" * 32,
    "MASTER_KEY": make_master_key(),
    "PUBLIC_URL": "https://news.example.org/",
}


def test_good_settings_are_read_and_tidied() -> None:
    settings = Settings.from_env(GOOD | {"TIDINGS_REGION": "de"})

    assert settings.database_url == "postgresql+psycopg://tidings@localhost/tidings"
    assert settings.public_url == "https://news.example.org"
    assert settings.region == "DE"
    assert settings.home.is_absolute()


def test_all_that_is_missing_is_named_at_once_each_with_an_example() -> None:
    with pytest.raises(BadSettings) as caught:
        Settings.from_env({})

    lines = str(caught.value).splitlines()
    assert [line.split()[0] for line in lines] == list(GOOD)
    assert all(f"Example: {line.split()[0]}=" in line for line in lines)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DATABASE_URL", "mysql://x", "postgresql:// or sqlite:///"),
        ("REDIS_URL", "localhost:6379", "redis://"),
        ("SECRET_KEY", "short", "32 characters"),
        ("MASTER_KEY", "not base64!", "base64 of 32 bytes"),
        ("MASTER_KEY", "c2hvcnQ=", "not of 5"),
        ("PUBLIC_URL", "news.example.org", "address that providers can reach"),
        ("PUBLIC_URL", "https://news.example.org/?x=1", "without a query"),
        ("TIDINGS_REGION", "Germany", "two letters"),
        ("TIDINGS_NEW_NUMBER", "maybe", "active or pending"),
        ("TIDINGS_CONNECTIONS", "0", "1 to 512"),
        ("TIDINGS_CONNECTIONS", "many", "1 to 512"),
    ],
)
def test_a_wrong_setting_says_what_is_wrong(name: str, value: str, words: str) -> None:
    with pytest.raises(BadSettings, match=f"^{name} ") as caught:
        Settings.from_env(GOOD | {name: value})

    assert words in str(caught.value)


def test_secrets_are_not_shown_when_settings_are_printed() -> None:
    settings = Settings.from_env(GOOD)

    assert GOOD["SECRET_KEY"] not in repr(settings)
    assert GOOD["MASTER_KEY"] not in repr(settings)

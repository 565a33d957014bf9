"""The whole product, set up for a test."""

from pathlib import Path

from app.config import Settings, make_master_key

SECRET_KEY = "tests-only-" * 4
MASTER_KEY = make_master_key()


def settings_for(database_url: str, redis_url: str, home: Path) -> Settings:
    """Settings as an operator would give them in the environment."""
    return Settings.from_env(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SECRET_KEY": SECRET_KEY,
            "MASTER_KEY": MASTER_KEY,
            "PUBLIC_URL": "http://localhost",
            "TIDINGS_HOME": str(home),
            "TIDINGS_BRAND": "Riverside News",
        }
    )

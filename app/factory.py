"""create_app(): the only place where the parts are joined; whoever wants to know what runs reads this file."""

from pathlib import Path

from flask import Flask, Response
from sqlalchemy import text

from app.config import BadSettings, Settings
from app.gateways.code_tables import BadCodes, use_folder
from app.gateways.proxies import use_proxy
from app.logs import configure_logging
from app.runtime import EXTENSION, Runtime
from app.storage.database import db

MAX_BODY = 1024 * 1024  # bytes; the largest form of the desk has a text of 1,600 characters
MIGRATIONS = Path(__file__).parent / "storage" / "migrations"


def create_core(settings: Settings | None = None) -> Flask:
    """Return settings, database and runtime without any page: what workers and commands need, in half the time.

    Raises `BadSettings` naming every setting that is missing or wrong, or a slip in the operator's table of codes.
    """
    settings = settings or Settings.from_env()
    configure_logging(settings.log_level)
    try:
        use_folder(settings.home / "codes")
    except BadCodes as error:
        raise BadSettings(str(error)) from error
    use_proxy(settings.proxy)
    app = Flask("tidings", root_path=str(Path(__file__).parent), static_folder=None)
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    # An error must not carry the values it was about into a log: they are phone numbers and people's words.
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_pre_ping": True, "hide_parameters": True}
    app.extensions[EXTENSION] = Runtime(settings)
    db.init_app(app)
    return app


def create_app(settings: Settings | None = None) -> Flask:
    """Return the web application: the core, and the doors through which people and providers come in."""
    # Here and not above, so that whoever takes the core alone need not wait for them.
    from app import desk, metrics, public, webhooks
    from app.gateways.registry import build

    app = create_core(settings)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.config["SECRET_KEY"] = app.extensions[EXTENSION].settings.secret_key
    app.wsgi_app = webhooks.HookDoor(app, app.wsgi_app, build)  # type: ignore[method-assign]  # Flask's own way
    app.add_url_rule("/health", "health", _health)
    metrics.init_app(app)
    desk.init_app(app)
    public.init_app(app)
    return app


def init_migrations(app: Flask) -> None:
    """Make `flask_migrate`'s functions work in `app`'s context."""
    from flask_migrate import Migrate

    Migrate(app, db, directory=str(MIGRATIONS))


def _health() -> Response:
    """Answer 200 when the web process is up and reaches its database."""
    db.session.execute(text("SELECT 1"))
    return Response("ok\n", content_type="text/plain")

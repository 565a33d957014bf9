"""One engine for each kind of database and process, whatever database a test has.

SQLAlchemy compiles a statement once for an engine, and that takes longer than to run it. With an engine for each test
most of the time of the tests went there.
"""

from typing import Any

from sqlalchemy import URL, Dialect, Engine, event, make_url

from app.storage.database import db


class SharedEngines:
    """Points the engine of an application at a database of this test; call it inside the application's context."""

    def __init__(self) -> None:
        self._engines: dict[str, Engine] = {}
        self._here: dict[str, URL] = {}

    def use(self, url: str) -> None:
        """Let the application of this context use the shared engine, whose connections from now on lead to `url`."""
        here = make_url(url)
        kind = here.get_backend_name()
        self._here[kind] = here
        if kind not in self._engines:
            self._engines[kind] = db.engine
            event.listen(db.engine, "do_connect", self._connect)
        # Nothing that was opened for the test before is used again.
        self._engines[kind].dispose()
        db.engines[None] = self._engines[kind]

    def _connect(self, dialect: Dialect, record: Any, args: Any, params: Any) -> Any:
        own_args, own_params = dialect.create_connect_args(self._here[dialect.name])
        return dialect.connect(*own_args, **{**params, **own_params})

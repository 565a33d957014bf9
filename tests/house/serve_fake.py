"""Runs `serve` with the commands given as JSON, as `tidings demo` would: python -m tests.house.serve_fake HOME JSON."""

import json
import os
import sys
from pathlib import Path

from app.supervisor.lock import AlreadyRunningError
from app.supervisor.run import serve


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def main() -> int:
    home, options = Path(sys.argv[1]), json.loads(sys.argv[2])
    env = {key: value for key, value in os.environ.items() if key != "REDIS_URL"} | {
        "PORT": str(options["port"])
    }

    def on_ready(url: str) -> int | None:
        say("ready", url)
        return options.get("answer")

    try:
        return serve(
            "demo",
            options["commands"],
            home=home,
            env=env,
            ready_url=f"http://127.0.0.1:{options['port']}/",
            on_ready=on_ready,
            prepare=lambda env: say("prepared", env["REDIS_URL"]),
            output=sys.stdout if options.get("echo") else None,
            ready_seconds=options.get("ready_seconds", 30),
        )
    except AlreadyRunningError as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())

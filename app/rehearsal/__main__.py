"""`python -m app.rehearsal ID` does the rehearsal of that number; a worker starts it, for it takes a while."""

import sys

from app.clock import utcnow
from app.factory import create_core
from app.rehearsal.run import perform


def main() -> int:
    """Do it with the settings of this installation."""
    with create_core().app_context():
        perform(int(sys.argv[1]), now=utcnow())
    return 0


if __name__ == "__main__":
    sys.exit(main())

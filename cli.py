"""The operators' command line. `python3 cli.py ANYTHING` works on a bare machine; installed it is called `tidings`."""

import sys


def main() -> None:
    """Run the command in `sys.argv`; exit code 0 done, 1 refused with a reason, 2 misuse."""
    if sys.argv[1:2] == ["keywords"]:
        # Scripts call it in loops, and it needs neither settings nor Flask: do not make it wait for them.
        from app.commands.keywords import keywords

        keywords.main(sys.argv[2:], prog_name="tidings keywords")
    from app.commands.root import root

    root.main(prog_name="tidings")


if __name__ == "__main__":
    from app.bootstrap import ensure

    ensure(sys.argv)
    main()

"""Processes that do the work behind the desk: `python -m workers [worker|clock]`."""

"""The public pages, visited as the desk is: by a browser without JavaScript."""

from tests.desk.conftest import house, visit

__all__ = ["house", "visit"]

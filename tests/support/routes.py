"""Addresses of pages that are compiled once in a test session and not once in each test's application."""

from collections.abc import Callable

from flask import Flask
from werkzeug.routing import Rule

_Builder = Callable[..., tuple[str, str]]
_BUILDERS = dict[tuple[object, ...], _Builder]()


class RememberedRule(Rule):
    """A rule that takes the function which writes its address from an earlier rule that says the same.

    Werkzeug compiles two functions for each rule; with some two hundred rules that is most of what it takes to make an
    application, and two fifths of a test of a page.
    """

    def _compile_builder(self, append_unknown: bool = True) -> _Builder:
        defaults = tuple((self.defaults or {}).items())
        said = (self.rule, self.host, self.subdomain, self.merge_slashes, defaults, append_unknown)
        if said not in _BUILDERS:
            _BUILDERS[said] = super()._compile_builder(append_unknown)
        return _BUILDERS[said]


def compile_routes_once() -> None:
    """Let every application of this process use such rules."""
    Flask.url_rule_class = RememberedRule

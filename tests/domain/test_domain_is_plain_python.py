"""The central promise of the layout: the rules can be read, tested and run without any framework."""

import json
import pkgutil
import subprocess
import sys
from functools import cache

import pytest

import app.domain

FRAMEWORKS = {"flask", "flask_sqlalchemy", "sqlalchemy", "redis", "rq", "twilio", "marshmallow"}
SHOW_LOADED = (
    "import importlib, json, sys; importlib.import_module(sys.argv[1]); print(json.dumps(list(sys.modules)))"
)


def domain_modules() -> list[str]:
    found = pkgutil.walk_packages(app.domain.__path__, prefix="app.domain.")
    return ["app.domain", *(module.name for module in found)]


def test_all_rooms_of_the_domain_are_looked_at() -> None:
    assert {"app.domain.addresses", "app.domain.keywords.classify", "app.domain.replies.texts"} <= set(
        domain_modules()
    )


@cache
def loaded_by(module: str) -> set[str]:
    """All that a fresh interpreter has loaded after importing `module`."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW_LOADED, module], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("module", domain_modules())
def test_a_module_of_the_domain_brings_in_no_framework(module: str) -> None:
    assert {name.partition(".")[0] for name in loaded_by(module)}.isdisjoint(FRAMEWORKS)


@pytest.mark.parametrize("module", domain_modules())
def test_a_module_of_the_domain_brings_in_no_other_room_of_ours(module: str) -> None:
    ours = {name for name in loaded_by(module) if name.partition(".")[0] in {"app", "workers", "cli"}}

    assert all(name in {"app", "app.domain"} or name.startswith("app.domain.") for name in ours)

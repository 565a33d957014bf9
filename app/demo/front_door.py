"""A visitor without a browser: fills in the desk's forms as they are served, as a person would."""

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import requests


class StoryFailed(Exception):
    """A step of the story did not come out as promised; the text says which and how."""


class _Forms(HTMLParser):
    """Collects the forms of a page: action, method, and the fields with their values."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self._textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.forms.append({"action": given.get("action") or "", "fields": {}})
        elif self.forms and tag == "input" and given.get("name") and _is_sent(given):
            self.forms[-1]["fields"][given["name"]] = given.get("value") or ""
        elif self.forms and tag == "textarea":
            self._textarea = given.get("name")

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.forms[-1]["fields"][self._textarea] = data
            self._textarea = None


def _is_sent(given: dict[str, str | None]) -> bool:
    """A browser sends boxes only when they are ticked, and buttons only when they are pressed."""
    kind = given.get("type") or "text"
    return "checked" in given if kind in ("radio", "checkbox") else kind not in ("submit", "button")


class Visitor:
    """One person's session at the desk."""

    def __init__(self, base_url: str) -> None:
        self._base, self._session = base_url, requests.Session()

    def open(self, path: str) -> str:
        """Return a page; raises `StoryFailed` unless it is there."""
        return self._checked(self._session.get(urljoin(self._base, path), timeout=10)).text

    def submit(
        self, page: str, marker: str, *, files: Mapping[str, Any] | None = None, **values: Any
    ) -> requests.Response:
        """Fill in the form of the page at `page` that has a field called `marker` or an action ending so; send it."""
        reader = _Forms()
        reader.feed(self.open(page))
        for form in reader.forms:
            if marker in form["fields"] or form["action"].endswith(marker):
                target = urljoin(urljoin(self._base, page), form["action"] or page)
                data = form["fields"] | values
                return self._checked(
                    self._session.post(
                        target, data=data, files=files, timeout=30, headers={"Referer": target}
                    )
                )
        raise StoryFailed(f"The page {page} has no form with {marker}.")

    def _checked(self, answer: requests.Response) -> requests.Response:
        if answer.status_code >= 400:
            raise StoryFailed(f"{answer.request.method} {answer.url} answered {answer.status_code}.")
        return answer

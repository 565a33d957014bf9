"""What counts as a click, and the words with which a notice says that clicks are kept with the person."""

import re
from collections.abc import Mapping
from typing import Final

SAYS: Final[Mapping[str, str]] = {
    "en": "We note which links you open.",
    "de": "Wir merken uns, welche Links Sie öffnen.",
}
"""What a notice says, to the letter, where clicks are kept with people (GDPR article 7(2): in clear words)."""

# Programs that fetch a link so that a phone or a mail shows a picture of it, or that look whether it is dangerous.
# As their makers name them: developers.facebook.com/docs/sharing/webmasters/web-crawlers,
# developers.google.com/search/docs/crawling-indexing/google-user-triggered-fetchers, and the pages of the others.
_PROGRAMS: Final = re.compile(
    r"(?<!cu)bot\b|crawl|spider|preview|scan|facebookexternalhit|facebookcatalog|^whatsapp/|^viber/|line-poker"
    r"|embedly|iframely|google-read-aloud|googleimageproxy|microsoft office|mastodon|snapchat|signal-desktop"
    r"|matrix|synapse|pinterest|vkshare|curl/|wget/|python-|go-http-client|okhttp|java/|libwww|headless"
    r"|httpclient|^$",
    re.IGNORECASE,
)
_BROWSER_AHEAD: Final = ("prefetch", "prerender", "preview")


def says_clicks(text: str, language: str) -> bool:
    """Tell whether a notice says that clicks are kept with the person; white space does not matter."""
    return language in SAYS and SAYS[language] in " ".join(text.split())


def is_program(method: str, headers: Mapping[str, str]) -> bool:
    """Tell whether a request for a link comes from a preview, a scanner or a browser that loads ahead, not a person.

    `headers` are looked up by name; Sec-Purpose is of wicg.github.io/nav-speculation, the older two of browsers before.
    """
    if method != "GET":
        return True
    ahead = " ".join(
        headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
    ).lower()
    return any(word in ahead for word in _BROWSER_AHEAD) or bool(
        _PROGRAMS.search(headers.get("User-Agent", "").strip())
    )

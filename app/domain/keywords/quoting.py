"""Takes out of a message what its author did not write: quoted lines, attribution lines, signatures."""

import re
from typing import Final

# "On Mon, 3 Aug, Club News wrote:" as mail and messenger apps put it, in the languages that have tables.
_ATTRIBUTION: Final = re.compile(
    r"(?:on\b.*\bwrote|am\b.*\bschrieb.*|le\b.*\ba écrit|el\b.*\bescribió|il\b.*\bha scritto"
    r"|(?:em|a)\b.*\bescreveu|op\b.*\bschreef.*|.*\bnapisał(?:\(a\)|a)?)\s?:",
    re.IGNORECASE,
)
_LONGEST_ATTRIBUTION: Final = 300
_SENT_FROM: Final = (
    r"(?:sent (?:from (?:my|outlook|yahoo|gmail|mail|proton|samsung)|via|with)|get outlook for"
    r"|gesendet (?:von|mit)|von meinem \w+ gesendet|diese nachricht wurde von|envoyé d(?:e|epuis)"
    r"|enviado (?:desde|do|de)|inviato da|verzonden (?:vanaf|met|via)|wysłane z|отправлено (?:с|из)|надіслано з)\b.*"
    r"|\w+ cihazımdan gönderildi|\w*から送信|[发發]自我的.*"
)
# "Regards, Anna" at the end says nothing, but would make the message one of several sentences.
_CLOSING: Final = re.compile(
    r"(?:^|(?<=[\s.,!]))(?:(?:best|kind|warm|many)? ?regards|yours (?:sincerely|truly|faithfully)|sincerely"
    r"|(?:mit )?(?:freundliche|viele|liebe|beste|herzliche|schöne)n? gr(?:ü|ue)(?:ß|ss)en?|mfg"
    r"|(?:bien )?cordialement|atentamente|un saludo|saludos|(?:cordiali|distinti) saluti|atenciosamente|cumprimentos"
    r"|met vriendelijke groet(?:en)?|mvg|pozdrawiam|saygılarımla|с уважением|з повагою)"
    r"[\s,.!]*(?:[^\W\d]+[\s,.]*){0,3}$",
    re.IGNORECASE,
)
_SIGNATURE: Final = re.compile(rf"[-_]+|{_SENT_FROM}", re.IGNORECASE)
# Some transports fold line breaks into blanks; then the quotation or signature is the tail of the line.
_FOLDED_TAIL: Final = re.compile(rf"(?:^|\s)(?:{_SENT_FROM})$", re.IGNORECASE)
_FOLDED_QUOTE: Final = re.compile(r"(?:^|\s)on\b.{0,200}?\bwrote:\s*>.*$", re.IGNORECASE)


def author_text(text: str) -> str:
    """The author's own lines, up to the closing and the signature."""
    return _CLOSING.sub("", _own_lines(text))


def _own_lines(text: str) -> str:
    lines = text.splitlines()
    if len(lines) == 1:
        return "" if text.lstrip().startswith(">") else _without_tail(lines[0])
    own: list[str] = []
    for line in lines:
        stripped = line.strip()
        if _SIGNATURE.fullmatch(stripped):
            break
        if not stripped.startswith(">") and not _is_attribution(stripped):
            own.append(line)
    return "\n".join(own)


def _without_tail(line: str) -> str:
    line = _FOLDED_TAIL.sub("", line)
    return _FOLDED_QUOTE.sub("", line) if "wrote:" in line.lower() else line


def _is_attribution(line: str) -> bool:
    return len(line) <= _LONGEST_ATTRIBUTION and _ATTRIBUTION.fullmatch(line) is not None

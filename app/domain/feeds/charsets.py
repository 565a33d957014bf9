"""From the bytes of a feed to its letters: byte order mark, then the server's word, then the document's own.

The order is that of RFC 7303, section 3. What does not fit its character set is an error with its place, never a guess:
a wrong guess would reach people as garbled words.
"""

import codecs
import re
from email.message import Message
from typing import Final

from app.domain.feeds.items import BrokenFeed

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Without a mark, the first "<" tells how wide the letters are (XML 1.0, appendix F).
_WIDE: Final = ((b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be"))
_DECLARED: Final = re.compile(rb"""\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
# Character sets alone: Python also "decodes" compressed data and domain names.
_CHARACTER_SETS: Final = re.compile(
    r"utf-8|utf-16(-[bl]e)?|ascii|iso8859-\d+|cp125\d|koi8-[ru]|mac-roman|cp932|shift_jis|euc_jp|iso2022_jp"
    r"|gb2312|gbk|gb18030|big5|euc_kr"
)
# What calls itself so has Windows' quotes and dashes in it (WHATWG Encoding Standard, section 4.2).
_WINDOWS: Final = frozenset({"iso8859-1", "ascii"})


def letters_of(body: bytes, content_type: str) -> str:
    """Return the text of a document. Raises `BrokenFeed`, naming the byte that is wrong."""
    for mark, charset in _MARKS:
        if body.startswith(mark):
            return _decoded(body[len(mark) :], charset)
    return _decoded(body, _charset(body, content_type))


def _charset(body: bytes, content_type: str) -> str:
    for start, charset in _WIDE:
        if body.startswith(start):
            return charset
    declared = _DECLARED.match(body)
    label = _of_header(content_type) or (declared.group(1).decode() if declared else "utf-8")
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        name = ""
    if not _CHARACTER_SETS.fullmatch(name):
        raise BrokenFeed(
            f"The feed says it is written in “{label[:40]}”, which is no character set known here."
        )
    return name


def _of_header(content_type: str) -> str:
    header = Message()
    header["Content-Type"] = content_type.replace("\r", " ").replace("\n", " ")
    return str(header.get_content_charset() or "")


def _decoded(body: bytes, charset: str) -> str:
    try:
        return body.decode("cp1252" if charset in _WINDOWS else charset)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise BrokenFeed(
            f"Line {line}, byte {error.start + 1}: this is not {charset.upper()}, which the feed says it is written in."
        ) from error

"""What is wrong with a file or a row of an import, in the words of the desk.

The services name options of the command line; a page has none. So most of their sentences have other words here.
"""

from typing import Final

from app.schemas import N_

SAME: Final[tuple[str, ...]] = (
    N_("%(name)s has %(n)s columns; it may have %(most)s. Remove those that are not needed."),
    N_("There are %(n)s files that nobody has started yet. Start or discard one of them."),
    N_("This import is further already. Look at where it stands."),
    N_("Nothing of this file is kept on this machine any more."),
    N_(
        "%(name)s is a workbook or another packed file, no CSV. Save it in the spreadsheet program as “CSV UTF-8”."
    ),
    N_("%(name)s is empty: the first line must name the columns."),
    N_("%(name)s has the column “%(column)s” twice. Rename or remove one of them."),
    N_(
        "%(name)s, line %(line)s: this is no CSV (%(error)s). Close every quote, and double a quote inside a value."
    ),
)
"""Sentences about a file that a page says as they are."""

RETOLD: Final[dict[str, str]] = {
    "%(name)s, line %(line)s: the file is not written in %(encoding)s. Save it as UTF-8, or say how it is written "
    "(--encoding %(offer)s). Read so, this place is “%(sample)s”.": N_(
        "%(name)s, line %(line)s: the file is not written in %(encoding)s. Choose another way under “How the file is "
        "written”; most files from Excel in Western Europe are “Windows, Western Europe”. Read so, this place is "
        "“%(sample)s”."
    ),
    "%(name)s, line %(line)s: the file is not written in %(encoding)s. Save it as UTF-8, or say how it is written "
    "(--encoding %(offer)s).%(rest)s": N_(
        "%(name)s, line %(line)s: the file is not written in %(encoding)s. Choose another way under “How the file is "
        "written”."
    ),
    "%(name)s, line %(line)s: there are zero bytes, as in UTF-16 without its mark. Save it as UTF-8, or say how it is "
    "written (--encoding utf-16-le).": N_(
        "%(name)s, line %(line)s: there are zero bytes, as in UTF-16 or in a file that is no CSV at all. Save it as "
        "“CSV UTF-8”."
    ),
    "%(name)s: the first line can be divided at %(signs)s. Say which (--delimiter %(one)s).": N_(
        "%(name)s: the first line can be divided at %(signs)s. Choose which under “Between the cells”."
    ),
}
"""The service's sentence about a file, and what a page says."""

ROWS: Final[tuple[str, ...]] = (
    N_(
        "This person said STOP before, or the consent ended otherwise; only the person can come back, by texting "
        "START."
    ),
    N_("This number is suppressed: nothing may be sent to it."),
    N_("Messages to this number came back or were blocked; it must write to us first."),
    N_(
        "This person was asked already, or three times in 30 days, or wrote something that a human has to read first; "
        "nobody is asked twice."
    ),
    N_("The moment of consent lies in the future."),
    N_("The moment of consent is empty."),
    N_("The moment of consent is no date; write 2026-03-31 or 2026-03-31T14:05."),
    N_("Nothing says where and how this person consented."),
    N_("Nothing says to which words this person agreed."),
    N_("Evidence may have %(n)s characters."),
    N_("This is longer than %(n)s characters."),
    N_("This is no language; a language is a code of two letters, such as en or de."),
    N_("has %(n)s cells under %(most)s columns; put values that hold the delimiter in quotes"),
    N_(
        "A spreadsheet shortened this number to “%(value)s”; its last digits are gone. Take the numbers from where "
        "they came from, with the column formatted as text."
    ),
    N_("A program made a decimal of this number (“%(value)s”). Save the column as text."),
    N_("“%(value)s” is an error of the spreadsheet, not a number."),
    N_(
        "“%(value)s” begins neither with + nor with 0; a spreadsheet has probably taken it away. Write the number "
        "with + and its country code."
    ),
    N_("“%(value)s” has probably lost its + in a spreadsheet. Write it as %(other)s if that is meant."),
    N_(
        "The phone number is empty. "
        "Write it with its country code, for example +1 202 555 0123 or +44 7700 900123."
    ),
    N_(
        "“%(value)s” is not written like a phone number. "
        "Write it with its country code, for example +1 202 555 0123 or +44 7700 900123."
    ),
    N_(
        "The phone number “%(value)s” has too few digits. "
        "Write it with its country code, for example +1 202 555 0123 or +44 7700 900123."
    ),
    N_(
        "The phone number “%(value)s” has too many digits. "
        "Write it with its country code, for example +1 202 555 0123 or +44 7700 900123."
    ),
    N_(
        "The phone number “%(value)s” has a number of digits that its country does not use. "
        "Write it with its country code, for example +1 202 555 0123 or +44 7700 900123."
    ),
    N_(
        "The phone number “%(value)s” starts with a country code that does not exist. "
        "Write it with its country code, for example +1 202 555 0123 or +44 7700 900123."
    ),
    N_(
        "The phone number “%(value)s” lacks its area code. "
        "Write it with its country code, for example +1 202 555 0123 or +44 7700 900123."
    ),
    N_(
        "The phone number “%(value)s” is not possible. "
        "Write it with its country code, for example +1 202 555 0123 or +44 7700 900123."
    ),
    N_(
        "The phone number “%(value)s” has too few or too many digits. "
        "Write it with its country code, for example +1 202 555 0123 or +44 7700 900123."
    ),
    N_(
        "The phone number “%(value)s” has no country code. "
        "Write it with its country code, for example +1 202 555 0123 or +44 7700 900123."
    ),
    N_("“%(value)s” is no id on %(channel)s: an id is not empty and has no blanks."),
    N_("“%(value)s” is no XMPP address. Write it as anna@example.com."),
)
"""What can be wrong with a row."""

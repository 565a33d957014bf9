"""Shapes of what comes in from forms, checked before a service sees it; each fault is said in words at its field."""

from datetime import date, datetime, time
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate, validates_schema

TITLE_MAX: Final = 120
TEXT_MAX: Final = 1600  # about ten parts; providers refuse longer texts (Twilio error 21617)


def N_(text: str) -> str:
    """Mark `text` for translation where it is written; whoever shows it translates it."""
    return text


_AN_ID: Final = validate.Range(0, 2**63 - 1, error=N_("Load the page again."))


def words(required: str = N_("This is missing."), **options: Any) -> fields.Str:
    """A field of text, with faults said as people say them; it must be there unless `load_default` is given."""
    faults: dict[str, Any] = {"required": required, "null": required, "invalid": N_("Write words.")}
    return fields.Str(required="load_default" not in options, error_messages=faults, **options)


def whole(invalid: str = N_("Write a whole number."), **options: Any) -> fields.Int:
    """A field of a whole number, with faults said as people say them; the same rule on when it must be there."""
    faults: dict[str, Any] = dict.fromkeys(("required", "null", "invalid", "too_large"), invalid)
    return fields.Int(required="load_default" not in options, error_messages=faults, **options)


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE

    @pre_load
    def _trim(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {key: value.strip() if isinstance(value, str) else value for key, value in data.items()}


class BroadcastSchema(_Form):
    """What an editor writes. `revision` is the one that the form was drawn from; 0 for a new broadcast."""

    title = words(
        validate=[
            validate.Length(min=1, error=N_("Give it a title. Only the desk sees it.")),
            validate.Length(max=TITLE_MAX, error=N_("A title has at most 120 characters.")),
        ],
    )
    text = words(
        load_default="",
        validate=validate.Length(max=TEXT_MAX, error=N_("A text has at most 1,600 characters.")),
    )
    list_ids = fields.List(whole(validate=_AN_ID), load_default=list)
    revision = whole(load_default=0, validate=_AN_ID)

    @pre_load
    def _one_kind_of_line_break(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Browsers send CR LF; on a phone that would be two characters."""
        return {**data, "text": str(data.get("text", "")).replace("\r\n", "\n").replace("\r", "\n")}


class FeedSchema(_Form):
    """A feed for a list; what its address and text may be is for the service to say."""

    address = words(validate=validate.Length(min=1, error=N_("Write the address of the feed.")))
    template = words(validate=validate.Length(min=1, error=N_("Write words.")))
    most_parts = whole()
    goes_to = words(validate=validate.OneOf(("draft", "queue"), error=N_("Choose drafts or the queue.")))
    every_minutes = whole()


class ChangedFeedSchema(FeedSchema):
    """A feed that is there already, which may have a name of ours and go to another list."""

    name = fields.Str(
        load_default="", validate=validate.Length(max=200, error=N_("A name has at most 200 characters."))
    )
    list_id = whole(N_("Choose a list."), validate=_AN_ID)


class SnippetSchema(_Form):
    """A saved text; without a list it is for all. `revision` is the one that the form was drawn from."""

    name = words(validate=validate.Length(1, 80, error=N_("Write a name of 1 to 80 characters.")))
    text = words(
        validate=[
            validate.Length(min=1, error=N_("Write words.")),
            validate.Length(max=TEXT_MAX, error=N_("A text has at most 1,600 characters.")),
        ],
    )
    list_id = whole(load_default=None, allow_none=True, validate=_AN_ID)
    revision = whole(load_default=0, validate=_AN_ID)

    @pre_load
    def _one_kind_of_line_break(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Browsers send CR LF; on a phone that would be two characters. A list that is not chosen is none."""
        found = {**data, "text": str(data.get("text", "")).replace("\r\n", "\n").replace("\r", "\n")}
        return {key: value for key, value in found.items() if (key, value) != ("list_id", "")}


class StorySchema(_Form):
    """A story for the queue. `story` is the one that is changed, 0 for a new one; its end is on the list's clock."""

    title = words(
        validate=[
            validate.Length(min=1, error=N_("Give it a title. Only the desk sees it.")),
            validate.Length(max=TITLE_MAX, error=N_("A title has at most 120 characters.")),
        ],
    )
    text = words(
        validate=[
            validate.Length(min=1, error=N_("Write words.")),
            validate.Length(max=TEXT_MAX, error=N_("A text has at most 1,600 characters.")),
        ],
    )
    day = fields.Date(load_default=None, error_messages={"invalid": N_("Write the day as 2026-11-26.")})
    hour = fields.Time(load_default=None, error_messages={"invalid": N_("Write the time as 09:00.")})
    story = whole(load_default=0, validate=_AN_ID)
    revision = whole(load_default=0, validate=_AN_ID)

    @pre_load
    def _one_kind_of_line_break(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Browsers send CR LF; on a phone that would be two characters."""
        found = {**data, "text": str(data.get("text", "")).replace("\r\n", "\n").replace("\r", "\n")}
        return {key: value for key, value in found.items() if value != "" or key not in ("day", "hour")}

    @validates_schema
    def _an_end_needs_both(self, data: dict[str, Any], **_: Any) -> None:
        if (data.get("day") is None) != (data.get("hour") is None):
            raise ValidationError(N_("Give the day and the time, or neither."), "hour")


class WhenSchema(_Form):
    """When it goes: `choice` is `now`, `at` a time on the clock in `zone`, or `local` on each person's own clock."""

    choice = words(
        N_("Choose now or a time."),
        validate=validate.OneOf(("now", "at", "local"), error=N_("Choose now or a time.")),
    )
    day = fields.Date(load_default=None, error_messages={"invalid": N_("Write the day as 2026-11-26.")})
    hour = fields.Time(load_default=None, error_messages={"invalid": N_("Write the time as 09:00.")})
    zone = words(N_("Choose a time zone."))

    @pre_load
    def _blank_is_absent(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {key: value for key, value in data.items() if value != ""}

    @validates_schema
    def _a_time_needs_both(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("choice") not in ("at", "local"):
            return
        if data.get("day") is None:
            raise ValidationError(N_("Choose a day."), "day")
        if data.get("hour") is None:
            raise ValidationError(N_("Choose a time."), "hour")


class RepeatSchema(_Form):
    """How it repeats, from the first `day` on; whether the parts fit each other is for `app.domain.recurrence`."""

    day = fields.Date(
        required=True,
        error_messages={"required": N_("Choose a day."), "invalid": N_("Write the day as 2026-11-26.")},
    )
    hour = fields.Time(
        required=True,
        error_messages={"required": N_("Choose a time."), "invalid": N_("Write the time as 09:00.")},
    )
    zone = words(N_("Choose a time zone."))
    every = words(
        N_("Choose days, weeks or months."),
        validate=validate.OneOf(
            ("day", "week", "month", "month_end"), error=N_("Choose days, weeks or months.")
        ),
    )
    interval = whole(load_default=1)
    weekdays = fields.List(whole(N_("Choose days from Monday to Sunday.")), load_default=list)
    until = fields.Date(load_default=None, error_messages={"invalid": N_("Write the day as 2026-11-26.")})
    times = whole(load_default=None)
    own_clocks = fields.Boolean(load_default=False)

    @pre_load
    def _blank_is_absent(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {key: value for key, value in data.items() if value != ""}


_DAY_FAULTS: Final[dict[str, Any]] = dict.fromkeys(
    ("required", "null", "invalid"), N_("Write the day as 2026-11-26.")
)
_TIME_FAULTS: Final[dict[str, Any]] = dict.fromkeys(
    ("required", "null", "invalid"), N_("Write the time as 09:00.")
)


class ListSchema(_Form):
    """A list that people can subscribe to, with the promise that they are shown."""

    name = words(validate=validate.Length(1, 100, error=N_("A name has 1 to 100 characters.")))
    keyword = words(
        validate=validate.Regexp(
            r"^[^\W_]{2,20}$", error=N_("A keyword is one word of 2 to 20 letters or digits.")
        ),
    )
    purpose = words(
        validate=validate.Length(1, 300, error=N_("Say in 1 to 300 characters what people will get.")),
    )
    language = words(validate=validate.OneOf(("en", "de"), error=N_("Choose a language.")))
    max_per_day = whole(
        N_("Promise between 1 and 50 messages a day."),
        validate=validate.Range(1, 50, error=N_("Promise between 1 and 50 messages a day.")),
    )
    from_hour = whole(validate=validate.Range(0, 23, error=N_("The first hour is between 0 and 23.")))
    until_hour = whole(validate=validate.Range(1, 24, error=N_("The last hour is between 1 and 24.")))
    zone = words()
    sender_id = whole(N_("Choose a sender."), validate=_AN_ID)
    any_hour_reason = fields.Str(load_default="", validate=validate.Length(max=300))
    is_default = fields.Bool(load_default=False)

    @validates_schema
    def _hours_in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data["from_hour"] >= data["until_hour"]:
            raise ValidationError(N_("The last hour must be after the first."), "until_hour")


class ChangedListSchema(ListSchema):
    """A list that is there already: its word, its purpose and its sender stay."""

    class Meta:
        unknown = EXCLUDE
        exclude = ("keyword", "purpose", "sender_id", "any_hour_reason")

    fresh_minutes = whole(load_default=None)
    sends_missed = fields.Bool(load_default=False)


class TickerSchema(_Form):
    """A live event; its moments are on the clock of `zone`. Limits beyond these are for the service to say."""

    name = words(validate=validate.Length(1, 100, error=N_("A name has 1 to 100 characters.")))
    keyword = words(
        validate=validate.Regexp(
            r"^[^\W_]{2,20}$", error=N_("A keyword is one word of 2 to 20 letters or digits.")
        ),
    )
    purpose = words(
        validate=validate.Length(1, 300, error=N_("Say in 1 to 300 characters what people will get.")),
    )
    language = words(validate=validate.OneOf(("en", "de"), error=N_("Choose a language.")))
    begins_day = fields.Date(required=True, error_messages=_DAY_FAULTS)
    begins_hour = fields.Time(required=True, error_messages=_TIME_FAULTS)
    ends_day = fields.Date(required=True, error_messages=_DAY_FAULTS)
    ends_hour = fields.Time(required=True, error_messages=_TIME_FAULTS)
    zone = words()
    most = whole()
    from_hour = whole(validate=validate.Range(0, 23, error=N_("The first hour is between 0 and 23.")))
    until_hour = whole(validate=validate.Range(1, 24, error=N_("The last hour is between 1 and 24.")))
    erase_after_days = whole()
    fresh_minutes = whole()
    farewell = words(load_default="")
    sender_id = whole(N_("Choose a sender."), validate=_AN_ID)

    @validates_schema
    def _hours_in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data["from_hour"] >= data["until_hour"]:
            raise ValidationError(N_("The last hour must be after the first."), "until_hour")


class UserSchema(_Form):
    """A new person at the desk; the service checks the address and the password."""

    name = words(validate=validate.Length(1, 100, error=N_("Write a name of 1 to 100 characters.")))
    email = words()
    password = words()
    role = words(validate=validate.OneOf(("editor", "admin"), error=N_("Choose a role.")))

    @pre_load
    def _trim(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """A password may begin or end with a blank; the rest is trimmed by the service."""
        return data


def wall_time(day: date, hour: time) -> datetime:
    """The naive reading of a clock on the wall, as the editor gave it."""
    return datetime.combine(day, hour.replace(second=0, microsecond=0))

"""Phone numbers that belong to nobody: 555-0100 to 555-0199 of every geographic area code of the +1 plan."""

from functools import cache

import phonenumbers

PER_AREA_CODE = 100
_GEOGRAPHIC = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)


@cache
def _area_codes() -> tuple[int, ...]:
    """The +1 plan reserves the range for fiction in geographic codes only, so not in 800, 833 or 900."""
    return tuple(code for code in range(201, 990) if _is_geographic(code))


def _is_geographic(code: int) -> bool:
    number = phonenumbers.parse(f"+1{code}5550100")
    return phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) in _GEOGRAPHIC


def reserved(count: int) -> list[str]:
    """Return `count` different numbers in E.164. Raises `ValueError` when there are not that many."""
    most = len(_area_codes()) * PER_AREA_CODE
    if count > most:
        raise ValueError(f"There are {most} reserved numbers, so no run can have {count} recipients.")
    return [f"+1{_area_codes()[i // PER_AREA_CODE]}55501{i % PER_AREA_CODE:02d}" for i in range(count)]

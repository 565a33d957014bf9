"""Which languages people write in who have a number of some country, besides the languages of their lists."""

from functools import cache
from typing import Final

import phonenumbers

from app.domain.keywords.normalise import word_set

# By the country that a number belongs to. STOP and the other English words are in use everywhere.
_REGIONS: Final = {
    "ar": "AE BH DJ DZ EG IQ JO KM KW LB LY MA MR OM PS QA SA SD SY TN YE",
    "de": "AT BE CH DE LI LU",
    "es": "AR BO CL CO CR CU DO EC ES GQ GT HN MX NI PA PE PR PY SV US UY VE",
    "fr": "BE BF BI BJ CA CD CF CG CH CI CM DJ DZ FR GA GF GN GP HT LU MA MC MG ML MQ NE RE RW SN TD TG TN YT",
    "hi": "IN",
    "it": "CH IT SM VA",
    "ja": "JP",
    "nl": "AW BE CW NL SR SX",
    "pl": "PL",
    "pt": "AO BR CV GW MZ PT ST TL",
    "ru": "BY KG KZ RU UA",
    "sw": "CD KE TZ UG",
    "tr": "CY TR",
    "uk": "UA",
    "zh": "CN HK MO MY SG TW",
}
_CODES: Final = {str(code): regions for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()}
_SHORTEST: Final = 8
_AREA, _AMERICAN = 5, 12  # +1 212; +1 212 555 0100
_BY_REGION: Final = {language: word_set(regions) for language, regions in _REGIONS.items()}


def languages_of_number(number: str) -> frozenset[str]:
    """The languages of the country of an E.164 number; none if it is not one, or of no single country."""
    if not number.startswith("+"):
        return frozenset()
    code = next((there for length in (1, 2, 3) if (there := number[1 : 1 + length]) in _CODES), "")
    whole = _languages_of_code(code)
    if whole is not None and len(number) >= _SHORTEST:
        return whole
    if code == "1" and len(number) == _AMERICAN:
        return _languages_of_area(number[:_AREA])
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return frozenset()
    return _languages_of_region(region or "")


@cache
def _languages_of_code(code: str) -> frozenset[str] | None:
    """The languages of a country code; None where its countries differ, and it takes the whole number to tell."""
    found = {_languages_of_region(region) for region in _CODES.get(code, ())}
    return found.pop() if len(found) == 1 else None


@cache
def _languages_of_area(prefix: str) -> frozenset[str]:
    """The countries that share +1 differ by the area."""
    whole = phonenumbers.PhoneNumber(1, int(prefix.removeprefix("+1") + "5550100"))
    return _languages_of_region(phonenumbers.region_code_for_number(whole) or "")


@cache
def _languages_of_region(region: str) -> frozenset[str]:
    return frozenset(language for language, regions in _BY_REGION.items() if region in regions)

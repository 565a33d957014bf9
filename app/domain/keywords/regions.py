"""Which languages people write in who have a number of some country, besides the languages of their lists."""

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
_BY_REGION: Final = {language: word_set(regions) for language, regions in _REGIONS.items()}


def languages_of_number(number: str) -> frozenset[str]:
    """The languages of the country of an E.164 number; none if it is not one, or of no single country."""
    if not number.startswith("+"):
        return frozenset()
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return frozenset()
    return frozenset(language for language, regions in _BY_REGION.items() if region in regions)

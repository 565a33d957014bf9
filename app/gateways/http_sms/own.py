"""`http_sms`: any provider, described by a file of the operator's own that is kept with the sender's settings."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from app.domain.messages import ReceiptStatus
from app.gateways.base import BadSetting, Capabilities, Proof, SettingSpec
from app.gateways.http_sms.description import BadDescription, read
from app.gateways.http_sms.gateway import HttpSmsGateway, gateway_class_of

_DESCRIPTION = "description"


class OwnHttpSmsGateway:
    """A stand-in: what it makes is a gateway of the provider that the file describes."""

    name = "http_sms"
    channel = "sms"
    # Whatever else the file asks for is given with --set, too; `check_settings` names what is missing.
    settings = (
        SettingSpec(_DESCRIPTION, secret=True, example="@provider.toml"),
        SettingSpec("from", secret=False, example="+12025550100"),
        SettingSpec("hook_secret", secret=True, example="20 letters and digits that you make up"),
    )

    def __new__(cls, settings: Mapping[str, str], base_url: str | None = None) -> Any:
        """Return the gateway of the described provider."""
        return _described(settings)(_others(settings), base_url)

    @classmethod
    def check_settings(cls, settings: Mapping[str, str]) -> str:
        """Return the sender's address; raises `BadSetting` for a slip in the file, or a setting that it asks for."""
        if not settings.get(_DESCRIPTION):
            raise BadSetting(
                f"{_DESCRIPTION} is missing. Give it with --set {_DESCRIPTION}=@provider.toml, "
                "a file as docs/integrators.md explains it."
            )
        return _described(settings).check_settings(_others(settings))

    @classmethod
    def generated(cls) -> Mapping[str, str]:
        """Nothing: the operator has everything from the provider."""
        return {}

    @classmethod
    def capabilities(cls) -> Capabilities:
        """What such providers have in common; each sender's own description says the rest."""
        return Capabilities(cls.channel, receipts=frozenset(ReceiptStatus), proof=Proof.QUEUED)


def _others(settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name != _DESCRIPTION}


def _described(settings: Mapping[str, str]) -> type[HttpSmsGateway]:
    return _class_of(settings[_DESCRIPTION])


@lru_cache(maxsize=64)
def _class_of(text: str) -> type[HttpSmsGateway]:
    try:
        return gateway_class_of(read(OwnHttpSmsGateway.name, text))
    except BadDescription as error:
        raise BadSetting(f"The description is wrong. {error}") from error

"""One sample for each gateway in the registry; the contract test fails for a gateway without one."""

from importlib import import_module

from app.gateways.http_sms import descriptions
from app.gateways.registry import GATEWAYS
from tests.gateways.sample import Sample


def sample_of(name: str) -> Sample:
    """Return the sample of a gateway; those that a data file describes share a module."""
    if name in descriptions():
        return import_module("tests.gateways.samples.http_sms").SAMPLES[name]
    return import_module(f"tests.gateways.samples.{name}").SAMPLE


SAMPLES = {name: sample_of(name) for name in sorted(GATEWAYS)}

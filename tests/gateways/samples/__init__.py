"""One sample for each gateway in the registry; the contract test fails for a gateway without one."""

from importlib import import_module

from app.gateways.registry import GATEWAYS
from tests.gateways.sample import Sample


def sample_of(name: str) -> Sample:
    """Return the sample of a gateway."""
    return import_module(f"tests.gateways.samples.{name}").SAMPLE


SAMPLES = {name: sample_of(name) for name in sorted(GATEWAYS)}

"""A sender on LINE whose platform is the simulator, for tests of what the clock asks platforms."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.gateways.registry import gateway_class
from app.services.manage_senders import add
from app.simulator.application import create_app
from app.simulator.server import Server
from app.simulator.world import World
from tests.gateways.samples.line import SETTINGS
from tests.support.world import Newsroom


@contextmanager
def line_sender(newsroom: Newsroom, world: World) -> Iterator[int]:
    """Yield the sender's id while the simulator answers for it."""
    server = Server("127.0.0.1", 0, create_app(world))
    server.start()
    yield add(
        name="city-line",
        gateway=gateway_class("line"),
        settings=SETTINGS,
        base_url=f"http://127.0.0.1:{server.port}",
        rate=100.0,
        by="tests",
        controller=newsroom.controller,
        now=newsroom.now,
    ).id
    world.stopping.set()
    server.stop()

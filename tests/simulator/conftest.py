"""A simulated provider, in this process and without pauses, and a product for it to call."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from app.simulator.application import create_app
from app.simulator.server import Server
from app.simulator.world import World
from tests.simulator.support import Product, sender


@pytest.fixture
def world() -> Iterator[World]:
    world = World(pauses=(0.0, 0.0), held_at_once=2)
    world.state.put_sender(sender())
    world.start()
    yield world
    world.stop()


@pytest.fixture
def client(world: World) -> FlaskClient:
    return create_app(world, desk_url="http://127.0.0.1:8000/").test_client()


@pytest.fixture
def base(world: World) -> Iterator[str]:
    """The address of the simulator on a real socket."""
    server = Server("127.0.0.1", 0, create_app(world))
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    world.stopping.set()
    server.stop()


@pytest.fixture
def product() -> Product:
    return Product()


@pytest.fixture
def hooks(product: Product) -> Iterator[str]:
    """The product's address for this sender."""
    server = Server("127.0.0.1", 0, product)
    server.start()
    yield f"http://127.0.0.1:{server.port}/hooks/morning"
    server.stop()

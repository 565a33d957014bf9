"""Requests through a proxy: a real one that knows CONNECT, before a real server with TLS."""

import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from app.config import BadSettings, Settings
from app.gateways.base import Call, Reply
from app.gateways.proxies import read_proxy, use_proxy
from app.gateways.transport import CurlTransport
from tests.gateways.test_transport import run
from tests.support.certificates import self_signed
from tests.support.connect_proxy import connect_proxy
from tests.support.raw_server import Server, answer, server
from tests.test_config import GOOD

PASSWORD = "not-for-logs"


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (
        "HTTPS_PROXY",
        "https_proxy",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
        "NO_PROXY",
        "no_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    yield
    use_proxy("")


@dataclass
class Provider:
    """A server over TLS, and a client that trusts it."""

    server: Server
    transport: CurlTransport

    def ask(self, **more: object) -> Reply:
        here = Call(
            "POST",
            f"https://{NAME}:{self.server.port}/messages",
            b"To=1",
            {"Authorization": "Bearer of-the-provider"},
            basic_auth=("AC1", "of-the-provider"),
        )
        ((_, reply),) = run(self.transport, here._replace(**more))
        return reply


NAME = "provider.invalid"
"""Only the proxy knows where that is."""


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    file = self_signed(tmp_path / "server.pem", NAME)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    transport = CurlTransport(connections=1, ca_file=str(file))
    with closing(transport), server(answer, context) as running:
        yield Provider(running, transport)


def test_a_request_goes_through_the_proxy_which_reads_nothing_of_it(provider: Provider) -> None:
    with connect_proxy("desk", PASSWORD) as proxy:
        use_proxy(f"http://desk:{PASSWORD}@127.0.0.1:{proxy.port}")

        reply = provider.ask()

    assert (reply.status, provider.server.requests) == (201, [b"To=1"])
    assert proxy.heads[0].startswith(f"CONNECT {NAME}:{provider.server.port} ".encode())
    assert b"of-the-provider" not in proxy.heads[0]
    assert b"QUMx" not in proxy.heads[0]  # the beginning of AC1 in base64
    assert b"proxy-authorization" not in provider.server.heads[0].lower()
    assert reply.headers.get("retry-after") is None  # what the proxy said is not the provider's


def test_a_proxy_that_does_not_let_us_through_means_that_nothing_left(provider: Provider) -> None:
    with connect_proxy("desk", "another") as proxy:
        use_proxy(f"http://desk:{PASSWORD}@127.0.0.1:{proxy.port}")

        reply = provider.ask()

    assert (reply.status, reply.left, provider.server.requests) == (0, False, [])
    assert reply.headers.get("retry-after") is None


def test_a_proxy_that_is_away_means_that_nothing_left(provider: Provider) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    use_proxy(f"http://127.0.0.1:{port}")

    reply = provider.ask()

    assert (reply.status, reply.left) == (0, False)


def test_this_machine_is_never_looked_for_behind_a_proxy() -> None:
    with connect_proxy() as proxy, server(answer) as near, closing(CurlTransport(1)) as transport:
        use_proxy(f"http://127.0.0.1:{proxy.port}")

        ((_, reply),) = run(transport, Call("POST", f"http://127.0.0.1:{near.port}/", b"To=1"))

    assert (reply.status, proxy.heads) == (201, [])


def test_hosts_in_no_proxy_are_reached_directly(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", f"kannel.lan,{NAME}")
    with connect_proxy() as proxy:
        use_proxy(f"http://127.0.0.1:{proxy.port}")

        assert provider.ask().reason == "curl_6"  # there is no such host
    assert proxy.heads == []


def test_without_a_setting_the_customary_variable_holds(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")

        assert provider.ask().status == 201
    assert len(proxy.heads) == 1


def test_a_host_that_a_stranger_chose_is_not_reached_through_the_proxy(provider: Provider) -> None:
    """A proxy stands inside and may reach what the guard of such calls keeps out."""
    with connect_proxy() as proxy:
        use_proxy(f"http://127.0.0.1:{proxy.port}")

        reply = provider.ask(public_only=True)

    assert (reply.status, reply.left, reply.reason) == (0, False, "curl_6")
    assert (proxy.heads, provider.server.requests) == ([], [])


def test_the_next_call_of_a_line_goes_through_the_proxy_again(provider: Provider) -> None:
    with connect_proxy() as proxy:
        use_proxy(f"http://127.0.0.1:{proxy.port}")
        provider.ask(public_only=True)

        assert provider.ask().status == 201
    assert len(proxy.heads) == 1


def test_the_proxys_password_is_in_no_log_and_no_printed_settings(
    provider: Provider, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = Settings.from_env(GOOD | {"TIDINGS_PROXY": f"http://desk:{PASSWORD}@127.0.0.1:9"})
    use_proxy(settings.proxy)

    reply = provider.ask()

    seen = capfd.readouterr()
    assert reply.status == 0
    assert PASSWORD not in f"{caplog.text}{seen.out}{seen.err}{settings!r}{reply!r}"


def test_the_setting_is_used_by_the_application(app: Flask) -> None:
    from app.gateways import proxies

    use_proxy("http://127.0.0.1:9")
    from app.factory import create_core

    create_core(app.extensions["tidings"].settings)

    assert proxies._chosen == ""


@pytest.mark.parametrize(
    "address", ["http://proxy.lan:3128", "https://u:p@proxy.lan", "socks5h://proxy.lan:1080", ""]
)
def test_proxies_that_can_be(address: str) -> None:
    assert read_proxy(address) == address


@pytest.mark.parametrize("address", ["proxy.de:31", "ftp://proxy.lan", "http:///x", "http://proxy.lan/x"])
def test_what_is_no_proxy_is_refused_at_the_start_without_showing_it(address: str) -> None:
    with pytest.raises(BadSettings, match=r"^TIDINGS_PROXY must be") as caught:
        Settings.from_env(GOOD | {"TIDINGS_PROXY": address})

    assert address not in str(caught.value)

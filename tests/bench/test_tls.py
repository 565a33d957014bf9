"""The benchmark over TLS, small: every client sends each message once, through either terminator."""

import os
import shutil
import ssl
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bench import peers, tls
from bench.report import rewritten
from bench.running import ROOT
from bench.terminator import PYTHON, make_certificate

SMALL = tls.Plan(rounds=1, messages=200, ceiling_seconds=1, fetch=False, judge_speed=False)


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> None:
    """Between two ends in memory; raises what the client says against the certificate."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname=host)
    theirs = server.wrap_bio(there, back, server_side=True)
    for side in (ours, theirs, ours):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()


def test_the_certificate_is_good_for_this_machine_alone_under_strict_rules(tmp_path: Path) -> None:
    ca_file, with_key = make_certificate(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(with_key)
    client = ssl.create_default_context(cafile=ca_file)
    client.verify_flags |= ssl.VERIFY_X509_STRICT

    handshake(client, server, "127.0.0.1")
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(client, server, "127.0.0.2")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(ssl.create_default_context(), server, "127.0.0.1")
    assert with_key.stat().st_mode & 0o077 == 0


@pytest.mark.slow
@pytest.mark.parametrize("haproxy", ["haproxy", "no-such-program"])
def test_a_small_round_is_not_void(haproxy: str) -> None:
    if haproxy == "haproxy" and not shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin"):
        pytest.skip("haproxy is missing: apt-get install haproxy")

    found = tls.run(replace(SMALL, haproxy=haproxy))

    assert found.void_reasons == []
    assert [run.messages for run in found.counted[0].runs.values()] == [200, 200]
    assert (PYTHON in found.facts["TLS"]) == (haproxy != "haproxy")
    table = peers.as_markdown(found, tls.OURS)
    assert table in rewritten((ROOT / "docs" / "performance.md").read_text(), "tls", table)

"""How fast the sink can be driven on this machine, at that moment: by wrk, and by our bare transport."""

import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, Recipient
from app.gateways.transport import DEFAULT_CONNECTIONS, CurlTransport
from app.gateways.twilio import TwilioGateway
from bench.ours import NUMBER
from bench.report import STEADY
from bench.running import RunFailed, environment
from bench.sink import Account, Sink
from bench.tokens import token

WRK, BARE = "wrk", "our bare transport"
_TO = "+12015550100"
_SCRIPT = """wrk.method = "POST"
wrk.path = "{path}"
wrk.body = "{body}"
wrk.headers["Authorization"] = "Basic {basic}"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
"""


@dataclass(frozen=True)
class Around:
    """The ceiling before and after a run whose speed is judged, in requests a second, and by what it was measured."""

    before: float
    after: float
    kind: str

    @property
    def words(self) -> str:
        """What is printed beside the speed."""
        return f"ceiling {self.before:,.0f}/s before and {self.after:,.0f}/s after ({self.kind})"

    @property
    def faults(self) -> list[str]:
        """Why the run proves nothing, or nothing."""
        apart = abs(self.after - self.before) / max(self.before, self.after, 1e-9)
        return [f"void: the ceilings before and after differ by {apart:.0%}"] if apart > STEADY else []


@dataclass(frozen=True)
class Ceiling:
    """Drives one request, valid in every respect, over 64 kept-alive connections from one thread.

    `through` and `ca_file` are those of a TLS terminator before the sink; wrk cannot check certificates.
    """

    sink: Sink
    account: Account
    directory: Path
    seconds: float = 2.0
    through: str = ""
    ca_file: str = ""

    @property
    def kind(self) -> str:
        """By what the ceiling is measured: wrk, or without it our own transport, which is slower."""
        return WRK if shutil.which("wrk") else BARE

    @property
    def _url(self) -> str:
        return self.through or self.sink.url

    def per_second(self) -> float:
        """Return requests a second. Raises `RunFailed` when the sink refused any."""
        self.sink.reset()
        found = self._wrk() if self.kind == WRK else self.bare_per_second()
        self._check()
        return found

    def bare_per_second(self) -> float:
        """Return requests a second of `CurlTransport` alone: no database, no Redis, nothing decoded."""
        (call,) = self._gateway().encode(self._batch())
        transport, done = CurlTransport(DEFAULT_CONNECTIONS, ca_file=self.ca_file), 0
        began = time.monotonic()
        try:
            while time.monotonic() - began < self.seconds:
                while transport.free:
                    transport.submit(call)
                done += len(transport.poll(0.05))
            return done / (time.monotonic() - began)
        finally:
            transport.close()

    def _wrk(self) -> float:
        (call,) = self._gateway().encode(self._batch())
        script = self.directory / "ceiling.lua"
        path = call.url.removeprefix(self._url)
        script.write_text(_SCRIPT.format(path=path, body=call.body.decode(), basic=self.account.basic))
        span = f"-d{max(1, round(self.seconds))}s"
        command = ["wrk", "-t1", f"-c{DEFAULT_CONNECTIONS}", span, "-s", str(script), self._url]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment({}), timeout=60, check=False
        )
        found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
        if found is None or "Non-2xx" in done.stdout:
            raise RunFailed(f"wrk did not measure the ceiling: {done.stdout[-500:]} {done.stderr[-500:]}")
        return float(found[1])

    def _check(self) -> None:
        seen = self.sink.stats()
        if seen.unique != 1 or seen.bad_auth or seen.bad_token or seen.bad_request:
            raise RunFailed(f"The sink refused requests of the ceiling: {seen}")

    def _gateway(self) -> TwilioGateway:
        settings = {"account_sid": self.account.sid, "auth_token": self.account.auth_token, "from": NUMBER}
        return TwilioGateway(settings, self._url)

    def _batch(self) -> Batch:
        text = f"The bridge is open again. {token(self.account.key, _TO)}"
        return Batch(
            (Recipient(DeliveryRef(1, 1), Address("sms", _TO), text),), "http://localhost/hooks/city-desk"
        )

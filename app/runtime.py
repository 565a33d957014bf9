"""What a running process holds besides the database: settings, controller, Redis, throttle; kept on the app."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from flask import current_app

from app.config import Settings
from app.domain.sealing import KeyRing
from app.services.controller import Controller, NewNumber

if TYPE_CHECKING:
    from redis import Redis

    from app.meter import RedisMeter
    from app.services.import_uploads import Uploads
    from app.services.media.files import Files
    from app.services.media.lane_media import MediaHouse
    from app.throttle import RedisThrottle
    from app.token_keeper import RedisKeeper

EXTENSION = "tidings"
FILE_MS = 60_000


@dataclass
class Runtime:
    """Built once by the factory. Redis and what only some commands need are loaded on first use."""

    settings: Settings

    @cached_property
    def controller(self) -> Controller:
        """Who runs this installation."""
        settings = self.settings
        return Controller(
            brand=settings.brand,
            contact=settings.contact,
            privacy_url=settings.privacy_url,
            ledger=settings.ledger,
            region=settings.region,
            keys=KeyRing.from_text(settings.master_key, settings.master_key_previous),
            new_number=NewNumber(settings.new_number),
        )

    @cached_property
    def uploads(self) -> "Uploads":
        """Files that were uploaded to be imported."""
        from app.services.import_uploads import Uploads

        return Uploads(self.settings.home, self.controller, f"{self.settings.public_url}/confirm")

    @cached_property
    def files(self) -> "Files":
        """The bytes of files that go with broadcasts."""
        from app.clock import utcnow
        from app.gateways.transport import CurlTransport
        from app.services.media.files import LocalFiles
        from app.services.media.s3 import S3Files

        place, access = self.settings.media, self.settings.media_s3
        if place.startswith("s3://") and access is not None:
            return S3Files(
                place, access, lambda: CurlTransport(connections=1, total_timeout_ms=FILE_MS), utcnow
            )
        return LocalFiles(self.settings.media_folder)

    @property
    def media_house(self) -> "MediaHouse":
        """What lanes and pages need for such files."""
        from app.services.media.lane_media import MediaHouse

        return MediaHouse(self.files, self.settings.public_url, self.controller)

    @cached_property
    def redis(self) -> "Redis":
        """The connection pool to Redis or Valkey."""
        from redis import Redis

        return Redis.from_url(
            self.settings.redis_url, socket_connect_timeout=2, socket_timeout=10, health_check_interval=30
        )

    @cached_property
    def throttle(self) -> "RedisThrottle":
        """Permits of senders."""
        from app.throttle import RedisThrottle

        return RedisThrottle(self.redis)

    @cached_property
    def meter(self) -> "RedisMeter":
        """Counts of lanes."""
        from app.meter import RedisMeter

        return RedisMeter(self.redis)

    def token_keeper(self, account: str) -> "RedisKeeper":
        """Who keeps the access token of an account at a provider."""
        from app.token_keeper import RedisKeeper

        return RedisKeeper(self.redis, self.controller.keys, account)


def runtime() -> Runtime:
    """Return the running process's `Runtime`."""
    found: Runtime = current_app.extensions[EXTENSION]
    return found

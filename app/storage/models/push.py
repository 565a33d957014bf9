"""Where the browsers of subscribers are reached."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import Model, UtcDateTime


class PushRouteRow(Model):
    """A subscriber's push subscription, as `app.domain.push.PushRoute` has it; the browser may change it.

    The subscriber's address is a name made from the first endpoint, and stays. `endpoint_sha256` finds the row.
    """

    __tablename__ = "push_route"

    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"), primary_key=True)
    endpoint_sha256: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    endpoint: Mapped[str] = mapped_column(String(2000))
    p256dh: Mapped[str] = mapped_column(String(100))
    auth: Mapped[str] = mapped_column(String(40))
    server_key: Mapped[str] = mapped_column(String(100))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

"""Finds the few people who cannot be written to, or agreed to another controller, without reading all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_CLOSED = sa.text(
    "blocked_at IS NOT NULL OR bounced_at IS NOT NULL OR suppressed_at IS NOT NULL OR review_opened_at IS NOT NULL"
)


def upgrade() -> None:
    op.create_index(
        "ix_subscriber_closed", "subscriber", ["id"], postgresql_where=_CLOSED, sqlite_where=_CLOSED
    )
    op.create_index("ix_consent_event_controller_name", "consent_event", ["controller_name"])


def downgrade() -> None:
    op.drop_index("ix_consent_event_controller_name", table_name="consent_event")
    op.drop_index("ix_subscriber_closed", table_name="subscriber")

"""Where the browsers of subscribers are reached by Web Push, and the store of messages for readers on pages."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "push_route",
        sa.Column("subscriber_id", _BIG, nullable=False),
        sa.Column("endpoint_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("endpoint", sa.String(length=2000), nullable=False),
        sa.Column("p256dh", sa.String(length=100), nullable=False),
        sa.Column("auth", sa.String(length=40), nullable=False),
        sa.Column("server_key", sa.String(length=100), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_push_route_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("subscriber_id", name=op.f("pk_push_route")),
        sa.UniqueConstraint("endpoint_sha256", name=op.f("uq_push_route_endpoint_sha256")),
    )
    op.create_table(
        "inbox_message",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("subscriber_id", _BIG, nullable=False),
        sa.Column("inbound_id", _BIG, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_inbox_message_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_message")),
        sa.UniqueConstraint(
            "broadcast_id",
            "subscriber_id",
            "inbound_id",
            name=op.f("uq_inbox_message_broadcast_id_subscriber_id_inbound_id"),
        ),
    )
    op.create_index("ix_inbox_message_subscriber_id", "inbox_message", ["subscriber_id", "id"])
    op.create_index(op.f("ix_inbox_message_at"), "inbox_message", ["at"])


def downgrade() -> None:
    op.drop_table("inbox_message")
    op.drop_table("push_route")

"""Messages of ours that answer no text: questions about sign-ups, welcomes after a link."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "own_message",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("subscriber_id", _BIG, nullable=False),
        sa.Column("list_id", _BIG, nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("requested_seq", _BIG, nullable=True),
        sa.Column("code", sa.String(length=20), nullable=True),
        sa.Column("acted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_own_message_subscriber_id_subscriber")
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["broadcast_list.id"], name=op.f("fk_own_message_list_id_broadcast_list")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_message")),
        sa.UniqueConstraint("code", name=op.f("uq_own_message_code")),
    )
    op.create_index(op.f("ix_own_message_subscriber_id"), "own_message", ["subscriber_id"], unique=False)
    op.create_index(op.f("ix_own_message_created_at"), "own_message", ["created_at"], unique=False)


def downgrade() -> None:
    op.drop_table("own_message")

"""A message's reply token, while its answer waits; and what the newest list of a sender's followers came to."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("inbound_message", sa.Column("reply_token", sa.String(300), nullable=True))
    op.create_table(
        "follower_reading",
        sa.Column("sender_id", _BIG, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("first_asked_at", _MOMENT, nullable=False),
        sa.Column("read_at", _MOMENT, nullable=True),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("followers", _BIG, nullable=False),
        sa.Column("ours", _BIG, nullable=False),
        sa.Column("missing", _BIG, nullable=False),
        sa.Column("problem", sa.String(300), nullable=True),
        sa.ForeignKeyConstraint(
            ["sender_id"],
            ["sender.id"],
            name=op.f("fk_follower_reading_sender_id_sender"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sender_id", name=op.f("pk_follower_reading")),
    )


def downgrade() -> None:
    op.drop_table("follower_reading")
    op.drop_column("inbound_message", "reply_token")

"""Live tickers that end by themselves with their urgent messages, rehearsals of broadcasts, comments on drafts."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("broadcast_list", sa.Column("most", sa.Integer(), nullable=True))
    op.add_column("broadcast_list", sa.Column("ends_at", _MOMENT, nullable=True))
    op.add_column("broadcast_list", sa.Column("erase_after_days", sa.Integer(), nullable=True))
    op.add_column("broadcast", sa.Column("urgent", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        "ix_broadcast_urgent",
        "broadcast",
        ["state"],
        postgresql_where=sa.text("urgent"),
        sqlite_where=sa.text("urgent"),
    )
    op.create_table(
        "ticker",
        sa.Column("list_id", _BIG, nullable=False),
        sa.Column("begins_at", _MOMENT, nullable=False),
        sa.Column("closes_at", _MOMENT, nullable=False),
        sa.Column("fresh_minutes", sa.Integer(), nullable=False),
        sa.Column("farewell", sa.Text(), nullable=True),
        sa.Column("farewell_id", _BIG, nullable=True),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["list_id"], ["broadcast_list.id"], name=op.f("fk_ticker_list_id_broadcast_list")
        ),
        sa.ForeignKeyConstraint(
            ["farewell_id"], ["broadcast.id"], name=op.f("fk_ticker_farewell_id_broadcast")
        ),
        sa.PrimaryKeyConstraint("list_id", name=op.f("pk_ticker")),
    )
    op.create_table(
        "ticker_message",
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("list_id", _BIG, nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_ticker_message_broadcast_id_broadcast")
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["ticker.list_id"], name=op.f("fk_ticker_message_list_id_ticker")
        ),
        sa.PrimaryKeyConstraint("broadcast_id", name=op.f("pk_ticker_message")),
        sa.UniqueConstraint("list_id", "token", name=op.f("uq_ticker_message_list_id_token")),
    )
    op.create_table(
        "rehearsal",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("asked_by", sa.String(length=120), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_rehearsal_broadcast_id_broadcast")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rehearsal")),
    )
    op.create_index(op.f("ix_rehearsal_broadcast_id"), "rehearsal", ["broadcast_id"])
    op.create_table(
        "draft_comment",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("resolved_by", sa.String(length=120), nullable=True),
        sa.Column("resolved_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_draft_comment_broadcast_id_broadcast")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_comment")),
    )
    op.create_index(op.f("ix_draft_comment_broadcast_id"), "draft_comment", ["broadcast_id"])


def downgrade() -> None:
    op.drop_table("draft_comment")
    op.drop_table("rehearsal")
    op.drop_table("ticker_message")
    op.drop_table("ticker")
    op.drop_index("ix_broadcast_urgent", table_name="broadcast")
    op.drop_column("broadcast", "urgent")
    for column in ("erase_after_days", "ends_at", "most"):
        op.drop_column("broadcast_list", column)

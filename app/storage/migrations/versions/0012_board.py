"""The story queue of a list, its slots, and what each slot took."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "slot_time",
        sa.Column("list_id", _BIG, nullable=False),
        sa.Column("minute", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["list_id"], ["broadcast_list.id"], name=op.f("fk_slot_time_list_id_broadcast_list")
        ),
        sa.PrimaryKeyConstraint("list_id", "minute", name=op.f("pk_slot_time")),
    )
    op.create_table(
        "story",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("list_id", _BIG, nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("until", _MOMENT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("breaking_reason", sa.String(length=300), nullable=True),
        sa.Column("breaking_by", sa.String(length=120), nullable=True),
        sa.Column("broadcast_id", _BIG, nullable=True),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_story_broadcast_id_broadcast")
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["broadcast_list.id"], name=op.f("fk_story_list_id_broadcast_list")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story")),
    )
    op.create_index("ix_story_list_state", "story", ["list_id", "state"])
    op.create_table(
        "slot_run",
        sa.Column("list_id", _BIG, nullable=False),
        sa.Column("slot_at", _MOMENT, nullable=False),
        sa.Column("story_id", _BIG, nullable=True),
        sa.Column("broadcast_id", _BIG, nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_slot_run_broadcast_id_broadcast")
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["broadcast_list.id"], name=op.f("fk_slot_run_list_id_broadcast_list")
        ),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name=op.f("fk_slot_run_story_id_story")),
        sa.PrimaryKeyConstraint("list_id", "slot_at", name=op.f("pk_slot_run")),
    )


def downgrade() -> None:
    for table in ("slot_run", "story", "slot_time"):
        op.drop_table(table)

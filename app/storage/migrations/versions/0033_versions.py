"""Versions keep buttons, templates and files; rules may repeat on each person's own clock."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("broadcast_version", sa.Column("rich", sa.JSON(), nullable=True))
    op.create_table(
        "version_media",
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("media_id", _BIG, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("alt", sa.String(length=300), nullable=False),
        sa.Column("otherwise", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id", "revision"],
            ["broadcast_version.broadcast_id", "broadcast_version.revision"],
            name=op.f("fk_version_media_broadcast_id_revision_broadcast_version"),
        ),
        sa.ForeignKeyConstraint(
            ["media_id"], ["media_file.id"], name=op.f("fk_version_media_media_id_media_file")
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "revision", "channel", name=op.f("pk_version_media")),
    )
    op.create_index(op.f("ix_version_media_media_id"), "version_media", ["media_id"])
    op.add_column(
        "repeat_rule", sa.Column("own_clocks", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    op.drop_column("repeat_rule", "own_clocks")
    op.drop_table("version_media")
    op.drop_column("broadcast_version", "rich")

"""Corrections of broadcasts, the versions of drafts, and saved texts."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_CORRECTS = sa.text("corrects_id IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("broadcast") as table:
        table.add_column(sa.Column("corrects_id", _BIG, nullable=True))
        table.create_foreign_key(
            op.f("fk_broadcast_corrects_id_broadcast"), "broadcast", ["corrects_id"], ["id"]
        )
    op.create_index(
        "ix_broadcast_corrects_id",
        "broadcast",
        ["corrects_id"],
        postgresql_where=_CORRECTS,
        sqlite_where=_CORRECTS,
    )
    op.add_column("slice", sa.Column("people", sa.Integer(), nullable=True))
    op.create_table(
        "broadcast_version",
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("variants", sa.JSON(), nullable=False),
        sa.Column("saved_by", sa.String(length=120), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_broadcast_version_broadcast_id_broadcast")
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "revision", name=op.f("pk_broadcast_version")),
    )
    op.create_table(
        "snippet",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("list_id", _BIG, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=120), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["list_id"], ["broadcast_list.id"], name=op.f("fk_snippet_list_id_broadcast_list")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snippet")),
        sa.UniqueConstraint("name", name=op.f("uq_snippet_name")),
    )


def downgrade() -> None:
    op.drop_table("snippet")
    op.drop_table("broadcast_version")
    op.drop_column("slice", "people")
    op.drop_index("ix_broadcast_corrects_id", table_name="broadcast")
    with op.batch_alter_table("broadcast") as table:
        table.drop_constraint(op.f("fk_broadcast_corrects_id_broadcast"), type_="foreignkey")
        table.drop_column("corrects_id")

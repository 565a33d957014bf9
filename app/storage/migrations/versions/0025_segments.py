"""Segments: rules that choose part of a list, saved or frozen in a broadcast, and the people of slices so chosen."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "segment",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("list_id", _BIG, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=120), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["list_id"], ["broadcast_list.id"], name=op.f("fk_segment_list_id_broadcast_list")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
        sa.UniqueConstraint("list_id", "name", name=op.f("uq_segment_list_id_name")),
    )
    with op.batch_alter_table("broadcast") as table:
        table.add_column(sa.Column("segment_id", _BIG, nullable=True))
        table.add_column(sa.Column("segment_rule", sa.JSON(), nullable=True))
        table.add_column(sa.Column("planned_to", _BIG, nullable=True))
        table.create_foreign_key(op.f("fk_broadcast_segment_id_segment"), "segment", ["segment_id"], ["id"])
    op.create_table(
        "slice_people",
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("ids", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id", "seq"],
            ["slice.broadcast_id", "slice.seq"],
            name=op.f("fk_slice_people_broadcast_id_slice"),
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "seq", name=op.f("pk_slice_people")),
    )


def downgrade() -> None:
    op.drop_table("slice_people")
    with op.batch_alter_table("broadcast") as table:
        table.drop_constraint(op.f("fk_broadcast_segment_id_segment"), type_="foreignkey")
        table.drop_column("planned_to")
        table.drop_column("segment_rule")
        table.drop_column("segment_id")
    op.drop_table("segment")

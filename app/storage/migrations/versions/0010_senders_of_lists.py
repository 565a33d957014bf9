"""A list on several channels: further senders, other words for a channel, and slices that name their sender."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "list_sender",
        sa.Column("list_id", _BIG, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("sender_id", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["list_id"], ["broadcast_list.id"], name=op.f("fk_list_sender_list_id_broadcast_list")
        ),
        sa.ForeignKeyConstraint(["sender_id"], ["sender.id"], name=op.f("fk_list_sender_sender_id_sender")),
        sa.PrimaryKeyConstraint("list_id", "channel", name=op.f("pk_list_sender")),
    )
    op.create_index(op.f("ix_list_sender_sender_id"), "list_sender", ["sender_id"])
    op.create_table(
        "broadcast_variant",
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_broadcast_variant_broadcast_id_broadcast")
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "channel", name=op.f("pk_broadcast_variant")),
    )
    op.add_column("slice", sa.Column("sender_id", _BIG, nullable=True))
    op.execute(
        "UPDATE slice SET sender_id = "
        "(SELECT sender_id FROM broadcast WHERE broadcast.id = slice.broadcast_id)"
    )
    with op.batch_alter_table("slice") as batch:
        batch.alter_column("sender_id", existing_type=_BIG, nullable=False)
        batch.create_foreign_key(op.f("fk_slice_sender_id_sender"), "sender", ["sender_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("slice") as batch:
        batch.drop_column("sender_id")
    op.drop_table("broadcast_variant")
    op.drop_table("list_sender")

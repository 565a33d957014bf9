"""Other addresses of the same account, accounts that a person linked, and moves to another channel."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "address_alias",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=120), nullable=False),
        sa.Column("subscriber_id", _BIG, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_address_alias_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("channel", "address", name=op.f("pk_address_alias")),
    )
    op.create_index(op.f("ix_address_alias_subscriber_id"), "address_alias", ["subscriber_id"])
    op.create_table(
        "linked_address",
        sa.Column("subscriber_id", _BIG, autoincrement=False, nullable=False),
        sa.Column("person_id", _BIG, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_linked_address_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("subscriber_id", name=op.f("pk_linked_address")),
        sa.UniqueConstraint("person_id", "channel", name=op.f("uq_linked_address_person_id_channel")),
    )
    op.create_table(
        "channel_move",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("list_id", _BIG, nullable=False),
        sa.Column("from_channel", sa.String(length=20), nullable=False),
        sa.Column("to_sender_id", _BIG, nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("closes_old", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_channel_move_broadcast_id_broadcast")
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["broadcast_list.id"], name=op.f("fk_channel_move_list_id_broadcast_list")
        ),
        sa.ForeignKeyConstraint(
            ["to_sender_id"], ["sender.id"], name=op.f("fk_channel_move_to_sender_id_sender")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_move")),
        sa.UniqueConstraint("broadcast_id", name=op.f("uq_channel_move_broadcast_id")),
    )


def downgrade() -> None:
    op.drop_table("channel_move")
    op.drop_table("linked_address")
    op.drop_table("address_alias")

"""Other addresses of the same account, and accounts that a person linked."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0020"
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
        sa.UniqueConstraint("person_id", "channel", name=op.f("uq_linked_address_person_id")),
    )


def downgrade() -> None:
    op.drop_table("linked_address")
    op.drop_table("address_alias")

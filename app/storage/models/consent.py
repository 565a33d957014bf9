"""The consent ledger: append-only events, their deletable personal part, notices and suppression."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class Notice(Model):
    """The exact words shown when consent was asked. Immutable: the database refuses UPDATE and DELETE.

    `policy_url` is the privacy page that the words lead to; notices of older versions of Tidings have none.
    """

    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("list_id", "language", "version"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("broadcast_list.id"))
    language: Mapped[str] = mapped_column(String(8))
    version: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    written_by: Mapped[str | None] = mapped_column(String(120))
    policy_url: Mapped[str | None] = mapped_column(String(300))


class LedgerHead(Model):
    """The end of the chain. Locking this row puts writers of the ledger in line."""

    __tablename__ = "ledger_head"

    ledger: Mapped[str] = mapped_column(String(40), primary_key=True)
    seq: Mapped[int] = mapped_column(BigId)
    entry_hash: Mapped[str] = mapped_column(String(64))


class Subject(Model):
    """Links a random pseudonym to an address by a keyed hash, and holds the person's wrapped data key.

    Deleting this row makes the person's ledger entries anonymous and their sealed personal part unreadable.
    `key_version` names the master key that the data key is wrapped under.
    """

    __tablename__ = "subject"

    subject_ref: Mapped[str] = mapped_column(String(36), primary_key=True)
    index_hmac: Mapped[str] = mapped_column(String(64), unique=True)
    wrapped_key: Mapped[bytes] = mapped_column(LargeBinary)
    key_version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ConsentEvent(Model):
    """One entry of the ledger. Times are ISO text with milliseconds, for they are part of what is hashed.

    The columns and the rule each one answers to: design decision 0003 and docs/consent.md. The database
    refuses UPDATE and DELETE. `statement` (canonical JSON) is what an entry of format 2 says of the ledger itself,
    such as the root of a day's sends; entries of format 1 have none, and it is no part of what is hashed there.
    """

    __tablename__ = "consent_event"
    __table_args__ = (
        UniqueConstraint("ledger", "seq"),
        Index("ix_consent_event_subject_ref", "subject_ref", "seq"),
        # Who agreed to another controller than today's: mostly nobody, among millions.
        Index("ix_consent_event_controller_name", "controller_name"),
        Index(
            "ix_consent_event_erasure",
            "subject_ref",
            "seq",
            postgresql_where=text("event_type IN ('erasure_requested', 'erased')"),
            sqlite_where=text("event_type IN ('erasure_requested', 'erased')"),
        ),
    )

    event_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    v: Mapped[int]
    ledger: Mapped[str] = mapped_column(String(40))
    seq: Mapped[int] = mapped_column(BigId)
    subject_ref: Mapped[str] = mapped_column(String(36))
    event_type: Mapped[str] = mapped_column(String(30))
    occurred_at: Mapped[str] = mapped_column(String(24))
    recorded_at: Mapped[str] = mapped_column(String(24))
    channel: Mapped[str] = mapped_column(String(20))
    provider: Mapped[str | None] = mapped_column(String(30))
    sender_id: Mapped[int | None] = mapped_column(BigId)
    list_id: Mapped[int | None] = mapped_column(BigId)
    purpose: Mapped[str | None] = mapped_column(String(300))
    consent_type: Mapped[str | None] = mapped_column(String(30))
    legal_basis: Mapped[str | None] = mapped_column(String(30))
    scope: Mapped[str] = mapped_column(String(8))
    notice_id: Mapped[int | None] = mapped_column(BigId)
    notice_version: Mapped[int | None]
    notice_lang: Mapped[str | None] = mapped_column(String(8))
    notice_sha256: Mapped[str | None] = mapped_column(String(64))
    cta_ref: Mapped[str | None] = mapped_column(String(200))
    act: Mapped[str | None] = mapped_column(String(20))
    matcher_version: Mapped[str | None] = mapped_column(String(20))
    matched_rule: Mapped[str | None] = mapped_column(String(60))
    tier: Mapped[str | None] = mapped_column(String(20))
    question_event_id: Mapped[str | None] = mapped_column(String(36))
    controller_name: Mapped[str | None] = mapped_column(String(100))
    controller_contact: Mapped[str | None] = mapped_column(String(200))
    jurisdiction: Mapped[str | None] = mapped_column(String(10))
    jurisdiction_basis: Mapped[str | None] = mapped_column(String(20))
    age_assertion: Mapped[str | None] = mapped_column(String(30))
    actor: Mapped[str] = mapped_column(String(120))
    reply_template: Mapped[str | None] = mapped_column(String(30))
    reply_skipped_reason: Mapped[str | None] = mapped_column(String(30))
    stale_at: Mapped[str | None] = mapped_column(String(24))
    retain_until: Mapped[str | None] = mapped_column(String(24))
    related_event_id: Mapped[str | None] = mapped_column(String(36))
    pii_commit: Mapped[str | None] = mapped_column(String(64))
    statement: Mapped[str | None] = mapped_column(Text)
    prev_hash: Mapped[str] = mapped_column(String(64))
    entry_hash: Mapped[str] = mapped_column(String(64))


class TreeHead(Model):
    """A signed statement of what the ledger was at a moment. Append-only too; a copy lies outside as a file.

    `signed_at` is ISO text, for it is part of what is signed. `public_key` and `signature` are hex (Ed25519).
    """

    __tablename__ = "tree_head"
    __table_args__ = (UniqueConstraint("ledger", "signed_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ledger: Mapped[str] = mapped_column(String(40))
    tree_size: Mapped[int] = mapped_column(BigId)
    root: Mapped[str] = mapped_column(String(64))
    signed_at: Mapped[str] = mapped_column(String(24))
    public_key: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(String(128))


class ConsentPii(Model):
    """The personal part of an entry, sealed under the person's data key. May be deleted; the chain still verifies."""

    __tablename__ = "consent_pii"

    event_id: Mapped[str] = mapped_column(ForeignKey("consent_event.event_id"), primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Suppression(Model):
    """Do not send to this address at all. Only a keyed hash is kept, so it survives the person's erasure.

    `key_version` names the key of the hash: it cannot be made anew for somebody whose address is gone, so each
    look-up tries every version (`services/suppressions`).
    """

    __tablename__ = "suppression"
    __table_args__ = (Index("ix_suppression_hmac", "hmac"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    hmac: Mapped[str] = mapped_column(String(64))
    key_version: Mapped[int] = mapped_column(server_default="1")
    scope: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

"""通知地址: where a program of a company wants to be told that something changed, and what was sent there."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, delete, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from .clients import ImportClient
from .database import Row, session
from .types import Encrypted, UtcDateTime


class Webhook(Row):
    """The address of one program. `seen_to`: changes before it were told. `stopped_at`: given up, until somebody says so."""

    __tablename__ = "webhooks"

    client_id: Mapped[UUID] = mapped_column(ForeignKey("import_clients.id"), unique=True)
    url: Mapped[str]
    _secret: Mapped[bytes] = mapped_column("secret", LargeBinary)
    seen_to: Mapped[datetime] = mapped_column(UtcDateTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str]

    secret = Encrypted("_secret")  # of the HMAC


class Delivery(Row):
    """One notice (推送通知). Its body never changes, so that a receiver knows it again. `next_at` None: it has ended.

    `status`: of the last answer; `problem`: why there was none, {number, template, parts}.
    """

    __tablename__ = "webhook_deliveries"

    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event: Mapped[str]  # changed | test
    body: Mapped[str] = mapped_column(Text)
    tries: Mapped[int] = mapped_column(default=0)
    status: Mapped[int | None]
    problem: Mapped[dict | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_webhook_deliveries_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
        Index("ix_webhook_deliveries_list", "webhook_id", "created_at"),
    )


def find_webhook(client_id: UUID) -> Webhook | None:
    return session.scalar(select(Webhook).where(Webhook.client_id == client_id))


def clients_with_webhook(enterprise_id: UUID) -> set[UUID]:
    query = select(Webhook.client_id).join(ImportClient, ImportClient.id == Webhook.client_id)
    return set(session.scalars(query.where(ImportClient.enterprise_id == enterprise_id)))


def lock_webhook(webhook_id: UUID) -> Webhook | None:
    query = select(Webhook).where(Webhook.id == webhook_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def remove_webhook(webhook: Webhook) -> None:
    """Its deliveries go with it."""
    session.execute(delete(Webhook).where(Webhook.id == webhook.id))


def lock_webhooks_to_look_at(now: datetime) -> list[tuple[Webhook, ImportClient]]:
    """Those of living programs whose last notice has ended; others look at another one meanwhile."""
    is_busy = select(Delivery.id).where(Delivery.webhook_id == Webhook.id, Delivery.next_at.isnot(None)).exists()
    query = select(Webhook, ImportClient).join(ImportClient, ImportClient.id == Webhook.client_id)
    query = query.where(ImportClient.revoked_at.is_(None), ImportClient.expires_at > now, Webhook.stopped_at.is_(None))
    query = query.where(ImportClient.scopes.contains(["orders:read"]), ~is_busy)
    query = query.with_for_update(of=Webhook, skip_locked=True).execution_options(populate_existing=True)
    return [tuple(row) for row in session.execute(query)]


def take_due(now: datetime, leased_until: datetime) -> list[UUID]:
    """Notices whose turn it is; nobody else takes them before `leased_until`."""
    statement = update(Delivery).where(Delivery.next_at <= now).values(next_at=leased_until).returning(Delivery.id)
    return list(session.scalars(statement.execution_options(synchronize_session=False)))


def find_delivery(delivery_id: UUID) -> tuple[Delivery, Webhook] | None:
    query = select(Delivery, Webhook).join(Webhook, Webhook.id == Delivery.webhook_id)
    row = session.execute(query.where(Delivery.id == delivery_id).execution_options(populate_existing=True)).first()
    return row and tuple(row)


def deliveries_of(webhook_id: UUID, limit: int) -> list[Delivery]:
    query = select(Delivery).where(Delivery.webhook_id == webhook_id)
    query = query.order_by(Delivery.created_at.desc(), Delivery.id).limit(limit)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def forget_deliveries(before: datetime) -> None:
    """Of those that have ended."""
    statement = delete(Delivery).where(Delivery.next_at.is_(None), Delivery.created_at < before)
    session.execute(statement.execution_options(synchronize_session=False))

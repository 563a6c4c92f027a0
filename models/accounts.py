"""Companies and people: `Enterprise` (单位), `User` (账号), `Credential` of staff desks, bound cards (我的IC卡)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, func, inspect, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import Text

from .database import Row, session
from .types import Encrypted, UtcDateTime, blind

REGISTERED, MIGRATED, CARD = "registered", "migrated", "card"


class Enterprise(Row):
    """A company (单位). `origin`: registered here | migrated | card; `level` 0 unverified … 3 高."""

    __tablename__ = "enterprises"

    name: Mapped[str]
    uscc: Mapped[str | None] = mapped_column(unique=True)  # 统一社会信用代码
    org_code: Mapped[str | None]  # 组织机构代码, characters 9–17 of the USCC
    address: Mapped[str] = mapped_column(default="")
    origin: Mapped[str]
    level: Mapped[int] = mapped_column(default=0)
    active_code: Mapped[str | None]  # 海关注册编码 in use
    details: Mapped[dict] = mapped_column(JSONB, default=dict)  # optional fields of the registration
    _representative: Mapped[bytes | None] = mapped_column("representative", LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    representative = Encrypted("_representative")  # 法定代表人: {name, id_type, id_number}

    __table_args__ = (Index("ix_enterprises_created_at_id", "created_at", "id"),)


class User(Row):
    """An account. Of a company (administrator or operator), or of the staff with the desks it serves."""

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(unique=True)  # casefolded
    shown_name: Mapped[str]
    password_hash: Mapped[str | None]
    enterprise_id: Mapped[UUID | None] = mapped_column(ForeignKey("enterprises.id"), index=True)
    role: Mapped[str]  # administrator | operator | staff
    desks: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    is_active: Mapped[bool] = mapped_column(default=True)
    _real_name: Mapped[bytes | None] = mapped_column("real_name", LargeBinary)
    _id_number: Mapped[bytes | None] = mapped_column("id_number", LargeBinary)
    _email: Mapped[bytes | None] = mapped_column("email", LargeBinary)
    _contact: Mapped[bytes | None] = mapped_column("contact", LargeBinary)
    email_index: Mapped[bytes | None] = mapped_column(index=True)
    id_number_index: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    real_name = Encrypted("_real_name")
    id_number = Encrypted("_id_number")
    email = Encrypted("_email")
    contact = Encrypted("_contact")  # {mobile, phone, fax, …}

    enterprise: Mapped[Enterprise | None] = relationship(lazy="joined")

    __table_args__ = (UniqueConstraint("enterprise_id", "id_number_index"),)

    def keep_person(self, real_name: str, id_number: str, email: str) -> None:
        """Sets the person's data together with their blind indexes; empty text counts as absent."""
        self.real_name, self.id_number, self.email = real_name or None, id_number or None, email or None
        self.email_index = blind("users.email", email) if email else None
        self.id_number_index = blind("users.id_number", id_number) if id_number else None


class BoundCard(Row):
    """An e-port card bound to an account (M86). What it says comes only from its verified certificate."""

    __tablename__ = "bound_cards"

    card_number: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    card_type: Mapped[str]  # 法人卡 | 操作员卡
    certificate: Mapped[bytes]
    serial: Mapped[str]
    not_after: Mapped[datetime] = mapped_column(UtcDateTime)
    bound_at: Mapped[datetime] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship(lazy="joined")


class Verification(Row):
    """单位实名认证: one passed verification with its evidence."""

    __tablename__ = "verifications"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    method: Mapped[str]  # card
    level: Mapped[int]
    evidence: Mapped[bytes | None] = mapped_column(LargeBinary)  # certificate DER
    at: Mapped[datetime] = mapped_column(UtcDateTime)


def find_user(name: str) -> User | None:
    """By user name, in any case (不区分大小写)."""
    return session.scalar(select(User).where(User.name == name.strip().casefold()))


def find_enterprise(uscc: str) -> Enterprise | None:
    return session.scalar(select(Enterprise).where(Enterprise.uscc == uscc))


def lock_enterprise(enterprise_id: UUID) -> Enterprise:
    """Waits for the row and reads it anew."""
    query = select(Enterprise).where(Enterprise.id == enterprise_id)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one()


def find_card(card_number: str) -> BoundCard | None:
    return session.scalar(select(BoundCard).where(BoundCard.card_number == card_number))


def cards_of(user_id: UUID) -> list[BoundCard]:
    return list(session.scalars(select(BoundCard).where(BoundCard.user_id == user_id).order_by(BoundCard.bound_at)))


def cards_of_enterprise(enterprise_id: UUID) -> list[BoundCard]:
    query = select(BoundCard).join(User).where(User.enterprise_id == enterprise_id).order_by(BoundCard.bound_at)
    return list(session.scalars(query))


def last_verification(enterprise_id: UUID) -> Verification | None:
    query = select(Verification).where(Verification.enterprise_id == enterprise_id)
    return session.scalar(query.order_by(Verification.at.desc()).limit(1))


def administrator_of(enterprise_id: UUID) -> User | None:
    return session.scalar(select(User).where(User.enterprise_id == enterprise_id, User.role == "administrator"))


def holds_demonstration() -> bool:
    """True where the seeded accounts stand: their password is public. A database without tables holds nothing."""
    if not inspect(session.connection()).has_table(User.__tablename__):
        return False
    return session.scalar(select(func.count()).where(User.name.in_(["demo01", "shenhe1"]))) == 2

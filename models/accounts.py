"""Companies and people: `Enterprise` (单位), `User` (账号), `Credential` of staff desks, bound cards (我的IC卡)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    delete,
    func,
    inspect,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import Text

from .database import Base, Row, session
from .types import Encrypted, UtcDateTime, blind

LAST = (
    "\U0010ffff"  # sorts after all that begins with what stands before it: a range that every plan of the index can use
)
REGISTERED, MIGRATED, CARD = "registered", "migrated", "card"


class Enterprise(Row):
    """A company (单位), or a person or foreign company that registered (`account_type`, as in the region file).

    `origin`: registered here | migrated | card; `level` 0 unverified … 3 高. `closed_at`: 注销; its codes are free again.
    """

    __tablename__ = "enterprises"

    name: Mapped[str] = mapped_column(String(collation="C"))  # so that one index serves order and beginning
    uscc: Mapped[str | None] = mapped_column(unique=True)  # 统一社会信用代码
    org_code: Mapped[str | None] = mapped_column(unique=True)  # 组织机构代码, characters 9–17 of the USCC
    address: Mapped[str] = mapped_column(default="")
    account_type: Mapped[str] = mapped_column(default="three-in-one")
    origin: Mapped[str]
    level: Mapped[int] = mapped_column(default=0)
    renew_since: Mapped[datetime | None] = mapped_column(UtcDateTime)  # 需重新认证, since then, because of …
    renew_why: Mapped[str | None]
    active_code: Mapped[str | None]  # 海关注册编码 in use
    access_region: Mapped[str | None]  # 接入地区 where it is not this one
    details: Mapped[dict] = mapped_column(JSONB, default=dict)  # optional fields of the registration
    _representative: Mapped[bytes | None] = mapped_column("representative", LargeBinary)
    _inspection: Mapped[bytes | None] = mapped_column("inspection", LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    representative = Encrypted(
        "_representative"
    )  # 法定代表人: {name, id_type, id_number, valid_from, valid_to, country}
    inspection = Encrypted("_inspection")  # 报检资质备案: {number, account, password}

    __table_args__ = (
        Index("ix_enterprises_created_at_id", "created_at", "id"),
        Index("ix_enterprises_name_id", "name", "id"),
    )


class User(Row):
    """An account. Of a company (administrator or operator), or of the staff with the desks it serves.

    `rights`: {module: 1 see | 2 edit | 3 submit} of an operator; an administrator has all. `initial_until`: the password
    is the one that the administrator handed over, good until then; None once the owner set his own. `guarded_until`:
    recovered lately, so that delicate changes wait. `closing_at`: when the 注销 that was asked for takes effect.
    """

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(unique=True)  # casefolded
    shown_name: Mapped[str]
    password_hash: Mapped[str | None]
    enterprise_id: Mapped[UUID | None] = mapped_column(ForeignKey("enterprises.id"), index=True)
    role: Mapped[str]  # administrator | operator | staff
    desks: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    rights: Mapped[dict] = mapped_column(JSONB, default=dict)
    is_active: Mapped[bool] = mapped_column(default=True)
    initial_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    guarded_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closing_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reminders: Mapped[dict] = mapped_column(JSONB, default=dict)  # {name: False} of those switched off
    _real_name: Mapped[bytes | None] = mapped_column("real_name", LargeBinary)
    _id_number: Mapped[bytes | None] = mapped_column("id_number", LargeBinary)
    _email: Mapped[bytes | None] = mapped_column("email", LargeBinary)
    _contact: Mapped[bytes | None] = mapped_column("contact", LargeBinary)
    _papers: Mapped[bytes | None] = mapped_column("papers", LargeBinary)
    email_index: Mapped[bytes | None] = mapped_column(index=True)
    mobile_index: Mapped[bytes | None] = mapped_column(index=True)
    id_number_index: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    real_name = Encrypted("_real_name")
    id_number = Encrypted("_id_number")
    email = Encrypted("_email")
    contact = Encrypted("_contact")  # {mobile, phone, fax, …}
    papers = Encrypted("_papers")  # {id_type, valid_from, valid_to}: 证件 of the owner; absent: 居民身份证

    enterprise: Mapped[Enterprise | None] = relationship(lazy="joined")

    __table_args__ = (
        UniqueConstraint("enterprise_id", "id_number_index"),
        Index("uq_users_administrator", "enterprise_id", unique=True, postgresql_where="role = 'administrator'"),
        Index("ix_users_closing", "closing_at", postgresql_where="closing_at IS NOT NULL"),
    )

    def keep_person(self, real_name: str, id_number: str, email: str) -> None:
        """Sets the person's data together with their blind indexes; empty text counts as absent."""
        self.real_name, self.id_number, self.email = real_name or None, id_number or None, email or None
        self.email_index = blind("users.email", email) if email else None
        self.id_number_index = blind("users.id_number", id_number) if id_number else None

    def keep_mobile(self, mobile: str) -> None:
        """绑定手机, with its blind index."""
        self.contact = (self.contact or {}) | {"mobile": mobile}
        self.mobile_index = blind("users.mobile", mobile) if mobile else None

    def is_owned_by(self, holder_id: str) -> bool:
        """False where a card says somebody else; True where either says nothing."""
        return not (self.id_number and holder_id) or self.id_number.upper() == holder_id.upper()

    @property
    def mobile(self) -> str:
        return (self.contact or {}).get("mobile") or ""

    @property
    def is_closed(self) -> bool:
        """注销: what was personal is gone, so nobody can be given it again."""
        return not self.is_active and not self.real_name and not self.password_hash

    @property
    def is_new(self) -> bool:
        return self.initial_until is not None


class KnownDevice(Base):
    """A browser in which the owner logged in before: a random mark in a cookie of its own, kept by hash."""

    __tablename__ = "known_devices"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    mark: Mapped[bytes] = mapped_column(primary_key=True)
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class JoinRequest(Row):
    """Somebody whose company is registered already asks its administrator for an account. state: open | done | declined."""

    __tablename__ = "join_requests"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"), index=True)
    _person: Mapped[bytes] = mapped_column("person", LargeBinary)
    state: Mapped[str] = mapped_column(default="open")
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    person = Encrypted("_person")  # {name, email, mobile, words}


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
    reminded: Mapped[int | None]  # days before its end that the owner was last reminded at

    user: Mapped[User] = relationship(lazy="joined")


def find_user(name: str) -> User | None:
    """By user name, in any case (不区分大小写)."""
    return session.scalar(select(User).where(User.name == name.strip().casefold()))


def users_by_email(email: str) -> list[User]:
    query = select(User).where(User.email_index == blind("users.email", email), User.is_active)
    return list(session.scalars(query.order_by(User.created_at)))


def users_by_mobile(mobile: str) -> list[User]:
    query = select(User).where(User.mobile_index == blind("users.mobile", mobile), User.is_active)
    return list(session.scalars(query.order_by(User.created_at)))


def lock_user(user_id: UUID) -> User:
    """Waits for the row and reads it anew."""
    query = select(User).where(User.id == user_id)
    return session.scalars(query.with_for_update(of=User).execution_options(populate_existing=True)).one()


def users_of(enterprise_id: UUID) -> list[User]:
    """All accounts of a company, the administrator first."""
    query = select(User).where(User.enterprise_id == enterprise_id)
    return list(session.scalars(query.order_by(User.role, User.created_at, User.id)))


def holds_person(enterprise_id: UUID, id_number: str, but: UUID | None = None) -> bool:
    """Whether another account of the company belongs to the person of this ID number (M81)."""
    query = select(User.id).where(
        User.enterprise_id == enterprise_id, User.id_number_index == blind("users.id_number", id_number)
    )
    return session.scalar(query.where(User.id != but) if but else query) is not None


def find_person(uscc: str, id_number: str) -> User | None:
    """The account that the person of this ID number has in the company of this 统一社会信用代码."""
    query = select(User).join(Enterprise).where(Enterprise.uscc == uscc)
    return session.scalar(query.where(User.id_number_index == blind("users.id_number", id_number)))


def staff_at(desk: str) -> list[User]:
    return list(session.scalars(select(User).where(User.role == "staff", User.is_active, User.desks.contains([desk]))))


def users_closing(now: datetime) -> list[UUID]:
    return list(session.scalars(select(User.id).where(User.closing_at <= now)))


def find_device(user_id: UUID, mark: bytes) -> KnownDevice | None:
    return session.get(KnownDevice, (user_id, mark))


def has_devices(user_id: UUID) -> bool:
    return session.scalar(select(KnownDevice.user_id).where(KnownDevice.user_id == user_id).limit(1)) is not None


def forget_devices(user_id: UUID) -> None:
    session.execute(delete(KnownDevice).where(KnownDevice.user_id == user_id))


def open_join_requests(enterprise_id: UUID) -> list[JoinRequest]:
    query = select(JoinRequest).where(JoinRequest.enterprise_id == enterprise_id, JoinRequest.state == "open")
    return list(session.scalars(query.order_by(JoinRequest.at)))


def find_enterprise(uscc: str) -> Enterprise | None:
    return session.scalar(select(Enterprise).where(Enterprise.uscc == uscc))


def find_organisation(org_code: str) -> Enterprise | None:
    """By 组织机构代码, which stands inside the USCC too: one company has one, whichever it registered with."""
    return session.scalar(select(Enterprise).where(Enterprise.org_code == org_code))


def page_of_enterprises(typed: str, after: tuple[str, UUID] | None, limit: int) -> list[Enterprise]:
    """By name; `typed`: a whole USCC or 组织机构代码, or the beginning of a name. `after`: (name, id) of the row before."""
    query = select(Enterprise).where(*_called(typed)).order_by(Enterprise.name, Enterprise.id).limit(limit)
    if after:
        query = query.where(tuple_(Enterprise.name, Enterprise.id) > tuple_(*after))
    return list(session.scalars(query))


def count_enterprises(typed: str, limit: int) -> int:
    """How many `page_of_enterprises` pages through, counted up to `limit`."""
    found = select(Enterprise.id).where(*_called(typed)).limit(limit).subquery()
    return session.scalar(select(func.count()).select_from(found))


def _called(typed: str) -> list:
    """What looks like a code is looked up as one: an `or` with names would read all of them."""
    code = typed.upper()
    if len(code) in (9, 18) and code.isascii() and code.isalnum() and any(each.isdigit() for each in code):
        return [or_(Enterprise.uscc == code, Enterprise.org_code == code)]
    return [Enterprise.name >= typed, Enterprise.name < typed + LAST] if typed else []


def count_users(enterprise_ids: list[UUID]) -> dict[UUID, int]:
    query = select(User.enterprise_id, func.count()).where(User.enterprise_id.in_(enterprise_ids))
    return dict(session.execute(query.group_by(User.enterprise_id)).all())


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


def cards_ending(until: datetime) -> list[BoundCard]:
    """Cards of active accounts whose certificate ends before `until`."""
    query = select(BoundCard).join(User).where(BoundCard.not_after < until, User.is_active)
    return list(session.scalars(query.order_by(BoundCard.not_after)))


def administrator_of(enterprise_id: UUID) -> User | None:
    return session.scalar(select(User).where(User.enterprise_id == enterprise_id, User.role == "administrator"))


def holds_demonstration() -> bool:
    """True where the seeded accounts stand: their password is public. A database without tables holds nothing."""
    if not inspect(session.connection()).has_table(User.__tablename__):
        return False
    return session.scalar(select(func.count()).where(User.name.in_(["demo01", "shenhe1"]))) == 2


def known_companies(usccs: list[str], org_codes: list[str]) -> list[tuple[UUID, str | None, str | None]]:
    """(id, USCC, 组织机构代码) of those that hold one of the codes."""
    query = select(Enterprise.id, Enterprise.uscc, Enterprise.org_code)
    return session.execute(query.where(or_(Enterprise.uscc.in_(usccs), Enterprise.org_code.in_(org_codes)))).all()


def holders_of(names: list[str]) -> list[tuple[str, UUID | None]]:
    """(casefolded user name, company) of the names that are taken."""
    return session.execute(select(User.name, User.enterprise_id).where(User.name.in_(names))).all()


def people_of(enterprise_ids: list[UUID]) -> list[tuple[UUID, str, bytes | None]]:
    """(company, role, blind index of the ID number) of every account of these companies."""
    query = select(User.enterprise_id, User.role, User.id_number_index)
    return session.execute(query.where(User.enterprise_id.in_(enterprise_ids))).all()

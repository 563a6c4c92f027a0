"""报关单 made from pushed orders, the orders in them, the import client's folder of a company, and its answers."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, aliased, mapped_column, relationship

from .accounts import Enterprise
from .agreements import ACTIVE, APPROVED, Agreement, Entrustment
from .database import Base, Row, session
from .exports import Strategy, Task
from .orders import DELETED, FAILED, ORDER, SUCCESS, Order
from .types import UtcDateTime

DRAFT, READY, HANDED, TAKEN, REFUSED, RELEASED = "draft", "ready", "handed", "taken", "refused", "released"
MODES = ("9710-declaration", "9810-declaration")


class Declaration(Row):
    """One 报关单. state: draft 填写中 → ready 已生成 → handed 已交给导入客户端 → taken 单一窗口已收 → released 放行 | refused.

    `head`: typed fields; `goods`: [{order_no, gnum, code_ts, …}], all texts (blueprints/declarations/goods.py). `content`:
    the DecMessage once it is made; it is not made anew under the same `number` (ClientSeqNo).
    """

    __tablename__ = "declarations"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    customs_code: Mapped[str]
    strategy_id: Mapped[UUID] = mapped_column(ForeignKey("strategies.id"))
    number: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(default=DRAFT)
    revision: Mapped[int] = mapped_column(default=1)  # of what was typed
    head: Mapped[dict] = mapped_column(JSONB, default=dict)
    goods: Mapped[list] = mapped_column(JSONB, default=list)
    content: Mapped[bytes | None] = mapped_column(deferred=True)
    made_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    handed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seq_no: Mapped[str | None]  # 统一编号, from the single window
    entry_id: Mapped[str | None]  # 报关单号, from customs
    channel: Mapped[str] = mapped_column(default="")  # of the newest receipt, data/dec_channel.csv
    note: Mapped[str] = mapped_column(default="")
    noted_at: Mapped[str] = mapped_column(default="")  # its NOTICE_DATE, digits
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str]

    strategy: Mapped[Strategy] = relationship(lazy="joined")

    __table_args__ = (
        Index("ix_declarations_list", "enterprise_id", "customs_code", "created_at", "id"),
        Index("ix_declarations_seq_no", "enterprise_id", "seq_no", postgresql_where=text("seq_no IS NOT NULL")),
    )


class DeclaredOrder(Base):
    """Which orders a 报关单 holds, in their order. One order stands in one live 报关单 only; a refused one lets it go."""

    __tablename__ = "declaration_orders"

    declaration_id: Mapped[UUID] = mapped_column(ForeignKey("declarations.id", ondelete="CASCADE"), primary_key=True)
    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    place: Mapped[int]
    is_live: Mapped[bool] = mapped_column(default=True)

    __table_args__ = (Index("uq_declaration_orders_live", "order_id", unique=True, postgresql_where=text("is_live")),)


class ClientFolder(Base):
    """The company has an import client on its folder at this portal."""

    __tablename__ = "declaration_folders"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str]


class DeclarationAnswer(Row):
    """One answer of an import client, byte by byte. `kind`: "" (not looked at) | taken | not-taken | status | garbled.

    `odd`: why it changes nothing (unknown | early | old | late), else empty.
    """

    __tablename__ = "declaration_answers"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    declaration_id: Mapped[UUID | None] = mapped_column(ForeignKey("declarations.id", ondelete="SET NULL"), index=True)
    name: Mapped[str]
    sha256: Mapped[bytes]
    content: Mapped[bytes] = mapped_column(deferred=True)
    kind: Mapped[str] = mapped_column(default="")
    odd: Mapped[str] = mapped_column(default="")
    number: Mapped[str] = mapped_column(default="")
    seq_no: Mapped[str] = mapped_column(default="")
    entry_id: Mapped[str] = mapped_column(default="")
    channel: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    time: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("enterprise_id", "name", "sha256"),
        Index("ix_declaration_answers_new", "at", postgresql_where=text("kind = ''")),
        Index(
            "ix_declaration_answers_odd", "enterprise_id", "at", postgresql_where=text("odd <> '' OR kind = 'garbled'")
        ),
    )


# -- 报关单


def find_declaration(enterprise_id: UUID, code: str, declaration_id: UUID, *, lock: bool = False) -> Declaration | None:
    query = select(Declaration).where(Declaration.id == declaration_id, Declaration.enterprise_id == enterprise_id)
    query = query.where(Declaration.customs_code == code)
    if lock:
        query = query.with_for_update(of=Declaration).execution_options(populate_existing=True)
    return session.scalar(query)


def page_of_declarations(enterprise_id: UUID, code: str, limit: int, offset: int) -> list[Declaration]:
    """The newest first."""
    query = select(Declaration).where(Declaration.enterprise_id == enterprise_id, Declaration.customs_code == code)
    return list(
        session.scalars(query.order_by(Declaration.created_at.desc(), Declaration.id).limit(limit).offset(offset))
    )


def count_declarations(enterprise_id: UUID, code: str | None, *states: str) -> int:
    query = select(func.count()).where(Declaration.enterprise_id == enterprise_id, Declaration.customs_code == code)
    return session.scalar(query.where(Declaration.state.in_(states)) if states else query)


def heads_before(strategy_id: UUID, but: UUID) -> dict:
    """What was typed in the newest other 报关单 of a strategy; empty where there is none."""
    query = select(Declaration.head).where(Declaration.strategy_id == strategy_id, Declaration.id != but)
    query = query.where(Declaration.head != {}).order_by(Declaration.created_at.desc())
    return session.scalar(query.limit(1)) or {}


# -- orders


def strategies_for(enterprise_id: UUID, code: str) -> list[Strategy]:
    query = select(Strategy).where(Strategy.enterprise_id == enterprise_id, Strategy.customs_code == code)
    return list(session.scalars(query.where(Strategy.mode.in_(MODES)).order_by(Strategy.number)))


def _eligible(enterprise_id: UUID, code: str, strategy_id: UUID):
    """Orders that customs has taken and that stand in no live 报关单."""
    declared = select(DeclaredOrder.order_id).where(DeclaredOrder.order_id == Order.id, DeclaredOrder.is_live).exists()
    query = select(Order).join(Task, Task.id == Order.task_id)
    query = query.where(Order.enterprise_id == enterprise_id, Order.customs_code == code, Order.kind == ORDER)
    return query.where(Task.strategy_id == strategy_id, Order.app_type == 1, Order.state == SUCCESS, ~declared)


def eligible_orders(enterprise_id: UUID, code: str, strategy_id: UUID, number: str, limit: int) -> list[Order]:
    """The newest first; `number`: beginning of it."""
    query = _eligible(enterprise_id, code, strategy_id)
    if number:
        query = query.where(Order.order_no.startswith(number, autoescape=True))
    return list(session.scalars(query.order_by(Order.serial.desc()).limit(limit)))


def choose_orders(enterprise_id: UUID, code: str, strategy_id: UUID, order_ids: list[UUID]) -> list[Order]:
    """Those of the given that may be declared, in the order of their import; locked until the transaction ends."""
    query = _eligible(enterprise_id, code, strategy_id).where(Order.id.in_(order_ids)).order_by(Order.serial)
    return list(session.scalars(query.with_for_update(of=Order)))


def orders_in(declaration_id: UUID) -> list[Order]:
    query = select(Order).join(DeclaredOrder, DeclaredOrder.order_id == Order.id)
    query = query.where(DeclaredOrder.declaration_id == declaration_id).order_by(DeclaredOrder.place)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def as_customs_has(order: Order) -> Order:
    """The order, or the newest 变更 of it that customs took: what the 报关单 is compared with."""
    query = select(Order).where(
        Order.enterprise_id == order.enterprise_id, Order.customs_code == order.customs_code, Order.kind == order.kind,
        Order.order_no == order.order_no, Order.app_type == 2, Order.state == SUCCESS, Order.serial > order.serial,
    )  # fmt: skip
    return session.scalar(query.order_by(Order.serial.desc()).limit(1)) or order


def has_open_repeat(order: Order) -> bool:
    """A 变更 or 删除 of it that customs has not answered, or is gone already."""
    query = select(Order.id).where(
        Order.enterprise_id == order.enterprise_id, Order.customs_code == order.customs_code, Order.kind == order.kind,
        Order.order_no == order.order_no, Order.app_type > 1,
        Order.state.is_distinct_from(SUCCESS), Order.state.is_distinct_from(FAILED), Order.state.is_distinct_from(DELETED),
    )  # fmt: skip
    return order.state != SUCCESS or session.scalar(query.limit(1)) is not None


def let_orders_go(declaration_id: UUID) -> None:
    """They may stand in another 报关单."""
    for row in session.scalars(select(DeclaredOrder).where(DeclaredOrder.declaration_id == declaration_id)):
        row.is_live = False
    session.flush()


# -- companies


def has_agreement_with(enterprise_id: UUID, code: str, district: str, on: date) -> bool:
    """三方协议 with this 直属关区, approved and valid on the day."""
    query = select(Agreement.id).where(
        Agreement.enterprise_id == enterprise_id, Agreement.customs_code == code, Agreement.district == district,
        Agreement.state == APPROVED, Agreement.valid_to >= on,
    )  # fmt: skip
    return session.scalar(query.limit(1)) is not None


def client_of(enterprise_id: UUID, code: str, client_code: str, on: date) -> Enterprise | None:
    """The company that entrusted its declarations under `client_code` to this one; None: none does on the day."""
    client = aliased(Enterprise)
    query = select(client).join(Entrustment, Entrustment.client_id == client.id)
    query = query.where(
        Entrustment.agent_id == enterprise_id, Entrustment.agent_code == code, Entrustment.client_code == client_code,
        Entrustment.state == ACTIVE, Entrustment.valid_to >= on,
    )  # fmt: skip
    return session.scalar(query.limit(1))


# -- the import client


def find_folder(enterprise_id: UUID) -> ClientFolder | None:
    return session.get(ClientFolder, enterprise_id, populate_existing=True)


def set_folder(enterprise_id: UUID, by: str, now: datetime) -> None:
    session.execute(insert(ClientFolder).values(enterprise_id=enterprise_id, by=by, at=now).on_conflict_do_nothing())


def folders() -> list[UUID]:
    return list(session.scalars(select(ClientFolder.enterprise_id)))


def keep_answer(enterprise_id: UUID, name: str, digest: bytes, content: bytes, now: datetime) -> None:
    """Once, whoever brings it and however often."""
    values = {
        "id": uuid4(),
        "enterprise_id": enterprise_id,
        "name": name,
        "sha256": digest,
        "content": content,
        "at": now,
    }
    empty = dict.fromkeys(("kind", "odd", "number", "seq_no", "entry_id", "channel", "note", "time"), "")
    session.execute(insert(DeclarationAnswer).values(**values, **empty).on_conflict_do_nothing())


def answers_not_looked_at(limit: int = 100) -> list[tuple[UUID, str, bytes]]:
    """(id, name, content), the oldest first."""
    query = select(DeclarationAnswer.id, DeclarationAnswer.name, DeclarationAnswer.content)
    query = query.where(DeclarationAnswer.kind == "").order_by(DeclarationAnswer.at, DeclarationAnswer.name)
    return [tuple(row) for row in session.execute(query.limit(limit))]


def lock_answer(answer_id: UUID) -> DeclarationAnswer:
    query = select(DeclarationAnswer).where(DeclarationAnswer.id == answer_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def lock_declaration_by(enterprise_id: UUID, *, number: str = "", seq_no: str = "") -> Declaration | None:
    """Of this company only: an answer in its folder says nothing about others."""
    query = select(Declaration).where(Declaration.enterprise_id == enterprise_id)
    query = query.where(Declaration.number == number) if number else query.where(Declaration.seq_no == seq_no)
    return session.scalar(query.with_for_update(of=Declaration).execution_options(populate_existing=True))


def early_answers(enterprise_id: UUID, seq_no: str) -> list[DeclarationAnswer]:
    """Receipts that came before the 统一编号 was known."""
    query = select(DeclarationAnswer).where(DeclarationAnswer.enterprise_id == enterprise_id)
    query = query.where(DeclarationAnswer.seq_no == seq_no, DeclarationAnswer.odd == "unknown")
    query = query.order_by(DeclarationAnswer.time, DeclarationAnswer.at).with_for_update()
    return list(session.scalars(query))


def answers_of(declaration_id: UUID) -> list[DeclarationAnswer]:
    query = select(DeclarationAnswer).where(DeclarationAnswer.declaration_id == declaration_id)
    return list(session.scalars(query.order_by(DeclarationAnswer.at, DeclarationAnswer.name)))


def odd_answers(enterprise_id: UUID, limit: int) -> list[DeclarationAnswer]:
    """Those that fit nothing of the company, and those that nobody can read; the newest first."""
    odd = (DeclarationAnswer.odd != "") | (DeclarationAnswer.kind == "garbled")
    query = select(DeclarationAnswer).where(DeclarationAnswer.enterprise_id == enterprise_id, odd)
    return list(session.scalars(query.order_by(DeclarationAnswer.at.desc()).limit(limit)))

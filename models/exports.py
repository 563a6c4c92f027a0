"""出口申报 before an order exists: 企业资料, 业务策略, 申报任务, imports of workbooks and what was wrong in them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, delete, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .accounts import Enterprise
from .agreements import ACTIVE, Entrustment
from .database import Base, Row, session
from .types import UtcDateTime

DRAFT, GENERATED, FAILED = "draft", "generated", "failed"  # 暂存, 已生成申报数据, 申报数据生成失败
BLOCK = 100  # orders that one message holds at most; a task's orders are counted in blocks of it


class CompanyProfile(Row):
    """企业资料: one company of the trade. `kind`: domestic (境内企业) | warehouse (海外仓: a name and an address)."""

    __tablename__ = "company_profiles"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"), index=True)
    kind: Mapped[str] = mapped_column(default="domestic")
    name: Mapped[str]
    customs_code: Mapped[str] = mapped_column(default="")  # 海关编码, one of those the company holds
    dxp_id: Mapped[str] = mapped_column(default="")  # 传输ID, one of those granted to the company
    types: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)  # 企业类型
    address: Mapped[str] = mapped_column(default="")
    remark: Mapped[str] = mapped_column(default="")
    is_enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]


class Strategy(Row):
    """业务策略: how orders of one trade are declared. It belongs to the 海关编码 of the company that declares them.

    That is the 电商企业 itself, or, where it entrusted the declaration (报关代理委托), the `declarant` (申报企业).
    `details`: of a 清单 mode the elements of CEB603's head that all its documents share, by their names there.
    """

    __tablename__ = "strategies"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    customs_code: Mapped[str]
    number: Mapped[str]  # 策略编号, the company's own
    name: Mapped[str]
    mode: Mapped[str]  # 贸易方式: 9710-declaration …
    platform_id: Mapped[UUID] = mapped_column(ForeignKey("company_profiles.id"))
    seller_id: Mapped[UUID] = mapped_column(ForeignKey("company_profiles.id"))
    declarant_id: Mapped[UUID | None] = mapped_column(ForeignKey("company_profiles.id"))
    currency: Mapped[str]  # 3-digit customs code
    details: Mapped[dict] = mapped_column(JSONB, default=dict)
    is_enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str]

    platform: Mapped[CompanyProfile] = relationship(foreign_keys=[platform_id], lazy="joined")
    seller: Mapped[CompanyProfile] = relationship(foreign_keys=[seller_id], lazy="joined")
    declarant: Mapped[CompanyProfile | None] = relationship(foreign_keys=[declarant_id], lazy="joined")

    @property
    def sender(self) -> CompanyProfile:
        """Whose code and 传输ID the messages carry (BaseTransfer)."""
        return self.declarant or self.seller

    __table_args__ = (UniqueConstraint("enterprise_id", "customs_code", "number"),)


class Task(Row):
    """申报任务: a set of orders that are declared under one strategy. `next_place`: where the next order goes."""

    __tablename__ = "export_tasks"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    customs_code: Mapped[str]  # a task keeps the code it was made under
    number: Mapped[str]  # 任务编号: 客户编号 + yyyyMMdd + 3-digit serial
    client_number: Mapped[str]  # 客户编号
    strategy_id: Mapped[UUID] = mapped_column(ForeignKey("strategies.id"))
    state: Mapped[str] = mapped_column(default=DRAFT)
    is_generating: Mapped[bool] = mapped_column(default=False)
    problem: Mapped[str] = mapped_column(default="")  # why the declaration data could not be made
    order_count: Mapped[int] = mapped_column(default=0)
    generated_count: Mapped[int] = mapped_column(default=0)  # orders that stand in messages
    next_place: Mapped[int] = mapped_column(default=1)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str]

    strategy: Mapped[Strategy] = relationship(lazy="joined")

    def close_block(self) -> None:
        """What comes next stands in a new block, so that a message that is made never gets more orders."""
        self.next_place = -(-(self.next_place - 1) // BLOCK) * BLOCK + 1

    __table_args__ = (
        UniqueConstraint("enterprise_id", "number"),
        Index("ix_export_tasks_list", "enterprise_id", "customs_code", "changed_at", "id"),
    )


class Import(Row):
    """One workbook read into a task. state: waiting → reading → storing → done | refused | cancelled."""

    __tablename__ = "imports"

    task_id: Mapped[UUID] = mapped_column(ForeignKey("export_tasks.id"), index=True)
    file_id: Mapped[UUID] = mapped_column(ForeignKey("files.id"))
    report_id: Mapped[UUID | None] = mapped_column(ForeignKey("files.id"))  # the workbook with the wrong cells coloured
    wrong_rows_id: Mapped[UUID | None] = mapped_column(ForeignKey("files.id"))  # one of only the rows to mend
    is_whole: Mapped[bool] = mapped_column(default=False, server_default=false())  # one wrong row: nothing is stored
    hidden: Mapped[str] = mapped_column(default="", server_default="")  # names of sheets that nobody sees, not read
    state: Mapped[str] = mapped_column(default="waiting")
    rows: Mapped[int] = mapped_column(default=0)  # in the workbook
    rows_read: Mapped[int] = mapped_column(default=0)
    orders_stored: Mapped[int] = mapped_column(default=0)
    orders_known: Mapped[int] = mapped_column(default=0)  # were in the task already, with the same content
    rows_wrong: Mapped[int] = mapped_column(default=0)
    first_place: Mapped[int | None]
    number: Mapped[str] = mapped_column(default="")  # of the sentence below
    problem: Mapped[str] = mapped_column(default="")  # why the whole workbook was refused
    is_cancelled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[str]

    task: Mapped[Task] = relationship(lazy="joined")

    @property
    def is_running(self) -> bool:
        return self.state in ("waiting", "reading", "storing")


class ImportProblem(Base):
    """One wrong cell: row and column as the spreadsheet program counts them (column 0: the row as a whole)."""

    __tablename__ = "import_problems"

    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    column: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str]
    value: Mapped[str]
    cause: Mapped[str]
    fix: Mapped[str]


def find_profile(enterprise_id: UUID, profile_id: UUID) -> CompanyProfile | None:
    return _own(CompanyProfile, enterprise_id, profile_id)


def find_strategy(enterprise_id: UUID, code: str, strategy_id: UUID) -> Strategy | None:
    return _of_code(_own(Strategy, enterprise_id, strategy_id), code)


def find_task(enterprise_id: UUID, code: str, task_id: UUID) -> Task | None:
    return _of_code(_own(Task, enterprise_id, task_id), code)


def find_import(enterprise_id: UUID, code: str, import_id: UUID) -> Import | None:
    found = session.get(Import, import_id)
    is_own = found and (found.task.enterprise_id, found.task.customs_code) == (enterprise_id, code)
    return found if is_own else None


def _own(model, enterprise_id: UUID, row_id: UUID):
    return session.scalar(select(model).where(model.id == row_id, model.enterprise_id == enterprise_id))


def _of_code(found, code: str):
    return found if found and found.customs_code == code else None


def lock_task(task_id: UUID) -> Task | None:
    """Read afresh under its row lock."""
    query = select(Task).where(Task.id == task_id).with_for_update(of=Task)
    return session.scalar(query.execution_options(populate_existing=True))


def entrusted_codes(enterprise_id: UUID, code: str, on: date) -> dict[str, str]:
    """海关编码 → name of the clients (委托方) whose 报关代理委托 to this company under `code` is active on the day."""
    query = select(Entrustment.client_code, Enterprise.name).join(Enterprise, Enterprise.id == Entrustment.client_id)
    query = query.where(
        Entrustment.agent_id == enterprise_id, Entrustment.agent_code == code, Entrustment.state == ACTIVE,
        Entrustment.valid_to >= on,
    )  # fmt: skip
    return dict(session.execute(query.order_by(Entrustment.client_code)).all())


def profiles_of(enterprise_id: UUID, column: str = "", text: str = "", *, types=(), enabled=None, since=None,
                until=None) -> list[CompanyProfile]:  # fmt: skip
    """Newest first. `column`: name | customs_code | dxp_id | created_by, searched for `text`."""
    query = select(CompanyProfile).where(CompanyProfile.enterprise_id == enterprise_id)
    if column and text:
        query = query.where(getattr(CompanyProfile, column).contains(text, autoescape=True))
    kinds = [CompanyProfile.types.overlap(list(types))] if set(types) - {"warehouse"} else []
    if "warehouse" in types:
        kinds.append(CompanyProfile.kind == "warehouse")
    if kinds:
        query = query.where(or_(*kinds))
    query = _between(query, CompanyProfile.created_at, since, until)
    if enabled is not None:
        query = query.where(CompanyProfile.is_enabled == enabled)
    return list(session.scalars(query.order_by(CompanyProfile.created_at.desc(), CompanyProfile.id)))


def strategies_of(enterprise_id: UUID, code: str, column: str = "", text: str = "", *, enabled=None, since=None,
                  until=None) -> list[Strategy]:  # fmt: skip
    """Newest change first. `column`: number | name | changed_by | created_by."""
    query = select(Strategy).where(Strategy.enterprise_id == enterprise_id, Strategy.customs_code == code)
    if column and text:
        query = query.where(getattr(Strategy, column).contains(text, autoescape=True))
    if enabled is not None:
        query = query.where(Strategy.is_enabled == enabled)
    query = _between(query, Strategy.changed_at, since, until)
    return list(session.scalars(query.order_by(Strategy.changed_at.desc(), Strategy.id)))


def _between(query, column, since, until):
    """`since` and `until` are moments or None; `until` is not included."""
    if since:
        query = query.where(column >= since)
    return query.where(column < until) if until else query


def strategy_number_taken(enterprise_id: UUID, code: str, number: str, but: UUID | None) -> bool:
    query = select(Strategy.id).where(
        Strategy.enterprise_id == enterprise_id, Strategy.customs_code == code, Strategy.number == number
    )
    return session.scalar(query.where(Strategy.id != but) if but else query) is not None


def has_tasks(strategy_id: UUID) -> bool:
    return session.scalar(select(Task.id).where(Task.strategy_id == strategy_id).limit(1)) is not None


def task_ids_by(enterprise_id: UUID, code: str, column: str, text: str, limit: int = 1000):
    """A query for the ids of tasks found by task number (`task`), strategy name or client number; beginning of it."""
    query = select(Task.id).where(Task.enterprise_id == enterprise_id, Task.customs_code == code)
    if column == "strategy":
        query = query.join(Strategy, Strategy.id == Task.strategy_id).where(
            Strategy.name.contains(text, autoescape=True)
        )
    else:
        searched = {"task": Task.number, "client": Task.client_number}[column]
        query = query.where(searched.startswith(text, autoescape=True))
    return query.limit(limit)


def tasks_query(enterprise_id: UUID, code: str):
    return select(Task).where(Task.enterprise_id == enterprise_id, Task.customs_code == code)


def page_of_tasks(query, after: tuple | None, limit: int, *, state="", since=None, until=None) -> list[Task]:
    """By change, newest first; keyset `after`: (changed_at, id) of the last row shown."""
    if state:
        query = query.where(Task.state == state)
    query = _between(query, Task.changed_at, since, until)
    if after:
        query = query.where(or_(Task.changed_at < after[0], (Task.changed_at == after[0]) & (Task.id > after[1])))
    return list(session.scalars(query.order_by(Task.changed_at.desc(), Task.id).limit(limit)))


def imports_of(task_id: UUID) -> list[Import]:
    return list(session.scalars(select(Import).where(Import.task_id == task_id).order_by(Import.created_at.desc())))


def delete_imports(task_id: UUID) -> None:
    session.execute(delete(Import).where(Import.task_id == task_id))


def running_import(task_id: UUID) -> Import | None:
    return next((each for each in imports_of(task_id) if each.is_running), None)


def note_progress(import_id: UUID, **values) -> bool:
    """Writes progress; False when somebody asked to stop."""
    statement = update(Import).where(Import.id == import_id).values(**values).returning(Import.is_cancelled)
    return not session.scalar(statement)


def problems_of(import_id: UUID, limit: int | None = None) -> list[ImportProblem]:
    query = select(ImportProblem).where(ImportProblem.import_id == import_id)
    return list(session.scalars(query.order_by(ImportProblem.row, ImportProblem.column).limit(limit)))


def count_problems(import_id: UUID) -> int:
    return session.scalar(select(func.count()).where(ImportProblem.import_id == import_id))


def forget_problems(import_id: UUID) -> None:
    session.execute(delete(ImportProblem).where(ImportProblem.import_id == import_id))


def count_unfinished_tasks(enterprise_id: UUID, code: str | None) -> int:
    """Tasks whose declaration data is not made."""
    query = select(func.count()).where(Task.enterprise_id == enterprise_id, Task.customs_code == code)
    return session.scalar(query.where(Task.state != GENERATED))


def open_tasks(enterprise_id: UUID, code: str, limit: int = 20) -> list[tuple[Task, Import | None]]:
    """Tasks whose last import had wrong rows, or whose declaration data could not be made."""
    last = select(Import.task_id, func.max(Import.created_at).label("at")).group_by(Import.task_id).subquery()
    query = (
        select(Task, Import)
        .outerjoin(last, last.c.task_id == Task.id)
        .outerjoin(Import, (Import.task_id == Task.id) & (Import.created_at == last.c.at))
        .where(Task.enterprise_id == enterprise_id, Task.customs_code == code)
        .where(or_(Task.state == FAILED, Import.rows_wrong > 0, Import.state == "refused"))
    )
    return [tuple(row) for row in session.execute(query.order_by(Task.changed_at.desc()).limit(limit))]

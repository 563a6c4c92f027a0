"""What an import asks and tells the database by the ten thousand: documents held already, rows by COPY, rows taken back."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import cast, delete, func, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from .database import session
from .exports import Import, Task
from .files import StoredFile
from .orders import Order

TAKEN = ("waiting", "reading", "storing", "done")  # states of an import that stores or stored


class Held(NamedTuple):
    """What is kept of a document that was imported before."""

    task_id: UUID
    place: int
    lines: list
    data: dict


def held_documents(enterprise_id: UUID, code: str, kind: str, numbers: list[str]) -> dict[str, Held]:
    """By number, of those that the company has under the code; 变更 and 删除 do not count.

    Each number is looked up in the unique index by itself, as long as the statistics know the company's rows: before
    many are asked about, take `orders.refresh_statistics`. No plan of a smaller day is kept.
    """
    session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    given = func.unnest(cast(numbers, ARRAY(Text))).table_valued("number").render_derived(name="given")
    held = select(Order.task_id, Order.place, Order.lines, Order.data).where(
        Order.enterprise_id == enterprise_id, Order.customs_code == code, Order.kind == kind, Order.app_type == 1,
        Order.order_no == given.c.number,
    )  # fmt: skip
    held = held.limit(1).lateral("held")
    query = select(given.c.number, *held.c).join_from(given, held, true())
    return {number: Held(*rest) for number, *rest in session.execute(query)}


def copy_new(table: str, columns: str, blocks: Iterable[str]) -> bool:
    """COPY of text that is already in COPY's own form; False, and nothing copied, where a unique index has one already."""
    try:
        with session.begin_nested():
            cursor = session.connection().connection.cursor()
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for block in blocks:
                    copy.write(block)
            cursor.close()
    except UniqueViolation:
        return False
    return True


def take_back(task_id: UUID, kind: str, first: int) -> int:
    """Deletes what was imported from place `first` on; gives how many. Other documents of the task stay."""
    statement = delete(Order).where(
        Order.task_id == task_id, Order.place >= first, Order.kind == kind, Order.app_type == 1
    )
    return session.execute(statement.execution_options(synchronize_session=False)).rowcount


def same_file(enterprise_id: UUID, code: str, sha256: bytes) -> Import | None:
    """The newest import of a file with the same bytes by this company under this code."""
    query = select(Import).join(StoredFile, StoredFile.id == Import.file_id).join(Task, Task.id == Import.task_id)
    query = query.where(
        StoredFile.enterprise_id == enterprise_id, StoredFile.sha256 == sha256, Task.customs_code == code,
        Import.state.in_(TAKEN),
    )  # fmt: skip
    return session.scalar(query.order_by(Import.created_at.desc()).limit(1))

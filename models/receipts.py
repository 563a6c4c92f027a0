"""Answers of customs: raw files as they came, the receipts (回执) in them, and how these change orders."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Text, UniqueConstraint, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from .channels import has_come
from .database import Base, Row, session
from .orders import Message
from .types import UtcDateTime


class InboxFile(Row):
    """One file that came by a company's channel, byte by byte. verdict: None (not looked at) | receipts | reply | garbled."""

    __tablename__ = "inbox_files"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    name: Mapped[str]
    sha256: Mapped[bytes]
    content: Mapped[bytes] = mapped_column(deferred=True)
    verdict: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("enterprise_id", "name", "sha256"),
        Index("ix_inbox_files_new", "at", postgresql_where=text("verdict IS NULL")),
        Index("ix_inbox_files_garbled", "enterprise_id", "at", postgresql_where=text("verdict = 'garbled'")),
    )


class Receipt(Base):
    """One OrderReturn. `enterprise_id`: by whose channel it came. `odd`: why it changes no order, else empty."""

    __tablename__ = "receipts"

    guid: Mapped[UUID] = mapped_column(primary_key=True)
    status: Mapped[int] = mapped_column(primary_key=True)
    time: Mapped[str] = mapped_column(primary_key=True)  # yyyyMMddHHmmssSSS, Beijing
    enterprise_id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger, Identity())  # in the order of coming
    order_no: Mapped[str]
    info: Mapped[str] = mapped_column(Text)
    file_id: Mapped[UUID]  # of the inbox file; no foreign key: checked for each of many thousand rows, for nothing
    extra: Mapped[dict | None] = mapped_column(JSONB)  # numbers that customs gave: pre_no, invt_no, sum_no
    odd: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_receipts_odd", "enterprise_id", "serial", postgresql_where=text("odd <> ''")),)


def keep_files(
    enterprise_id: UUID, files: list[tuple[str, bytes, bytes]], now: datetime
) -> dict[UUID, tuple[str, bytes]]:
    """Stores (name, sha256, content); those known already are left out of the answer {id: (name, sha256)}."""
    rows = [
        {
            "id": uuid4(),
            "enterprise_id": enterprise_id,
            "name": name,
            "sha256": digest,
            "content": content,
            "note": "",
            "at": now,
        }
        for name, digest, content in files
    ]
    statement = insert(InboxFile).on_conflict_do_nothing().returning(InboxFile.id)
    new = set(session.scalars(statement, rows))
    return {row["id"]: (row["name"], row["sha256"]) for row in rows if row["id"] in new}


def files_not_looked_at(before: datetime, limit: int = 100) -> list[tuple[UUID, UUID, bytes]]:
    """(id, enterprise, content) of what a killed worker stored but did not get to."""
    query = select(InboxFile.id, InboxFile.enterprise_id, InboxFile.content)
    query = query.where(InboxFile.verdict.is_(None), has_come(InboxFile.at, before)).order_by(InboxFile.at).limit(limit)
    return [tuple(row) for row in session.execute(query)]


def judge_files(verdicts: dict[UUID, tuple[str, str]]) -> set[UUID]:
    """Writes {id: (verdict, note)}; gives those that nobody judged before: only their receipts may be applied."""
    won: set[UUID] = set()
    kinds: dict[tuple[str, str], list[UUID]] = {}
    for file_id, said in verdicts.items():
        kinds.setdefault(said, []).append(file_id)
    for (verdict, note), ids in kinds.items():
        statement = update(InboxFile).where(InboxFile.id.in_(ids), InboxFile.verdict.is_(None))
        statement = statement.values(verdict=verdict, note=note[:500]).returning(InboxFile.id)
        won |= set(session.scalars(statement.execution_options(synchronize_session=False)))
    return won


# One receipt counts only if it came by the channel of the company that owns the document, and if that was sent. Older never
# over newer; of one time the one that says more (the end) wins; success never goes back to 申报中. All in one statement: what
# is kept is applied, and the messages' tallies follow. Documents are locked before, so that the states they leave are true.
_TAKE_IN = text("""
WITH kept AS (
    INSERT INTO receipts (guid, status, time, enterprise_id, order_no, info, file_id, extra, odd, at)
    SELECT g.guid, g.status, g.time, :enterprise, coalesce(g.order_no, ''), coalesce(g.info, ''), g.file_id, CAST(g.extra AS jsonb),
           CASE WHEN o.id IS NULL THEN 'unknown' WHEN o.enterprise_id <> :enterprise THEN 'stranger'
                WHEN m.state IS NULL OR m.state IN ('unsigned', 'ready') THEN 'unsent' ELSE '' END, :now
    FROM unnest(string_to_array(:guids, E'\\x1f')::uuid[], string_to_array(:statuses, E'\\x1f')::int[],
                string_to_array(:times, E'\\x1f'), string_to_array(:numbers, E'\\x1f'), string_to_array(:infos, E'\\x1f'),
                string_to_array(:files, E'\\x1f')::uuid[], string_to_array(:extras, E'\\x1f', ''))
         AS g(guid, status, time, order_no, info, file_id, extra)
    LEFT JOIN export_orders o ON o.id = g.guid
    LEFT JOIN customs_messages m ON m.task_id = o.task_id AND m.block = (o.place - 1) / 100
         AND o.place BETWEEN m.first_place AND m.last_place
    ON CONFLICT DO NOTHING
    RETURNING guid, status, time, info, extra, odd
), newest AS (
    SELECT DISTINCT ON (guid) guid, status, time, info, extra,
           CASE WHEN status IN (120, 399, 800, 899) THEN 'success'
                WHEN status IN (1, 2, 3) OR status BETWEEN 300 AND 900 THEN 'declaring' ELSE 'failed' END AS state
    FROM kept WHERE odd = '' ORDER BY guid, time DESC, abs(status) DESC
), locked AS (
    SELECT o.id, o.state AS before, n.* FROM newest n JOIN export_orders o ON o.id = n.guid FOR UPDATE OF o
), changed AS (
    UPDATE export_orders o SET state = n.state, return_status = n.status, return_time = n.time, return_info = n.info,
           data = CASE WHEN n.extra IS NULL THEN o.data ELSE o.data || n.extra END, changed_at = :now
    FROM locked n
    WHERE o.id = n.id AND (o.return_time IS NULL OR (o.return_time, abs(o.return_status)) < (n.time, abs(n.status)))
      AND (o.state IS DISTINCT FROM 'success' OR n.state <> 'declaring') AND o.state IS DISTINCT FROM 'deleted'
    RETURNING o.task_id, o.place, n.before, o.state AS after
), tallied AS (
    SELECT task_id, block, first_place, sum((after = 'declaring')::int - (before IS NOT DISTINCT FROM 'declaring')::int) AS declaring,
           sum((after = 'success')::int - (before IS NOT DISTINCT FROM 'success')::int) AS success,
           sum((after = 'failed')::int - (before IS NOT DISTINCT FROM 'failed')::int) AS failed
    FROM changed c JOIN LATERAL (
        SELECT block, first_place FROM customs_messages m WHERE m.task_id = c.task_id AND m.block = (c.place - 1) / 100
        AND c.place BETWEEN m.first_place AND m.last_place LIMIT 1) held ON true
    GROUP BY task_id, block, first_place
)
UPDATE customs_messages m SET declaring = m.declaring + t.declaring, success = m.success + t.success,
       failed = m.failed + t.failed
FROM tallied t WHERE m.task_id = t.task_id AND m.block = t.block AND m.first_place = t.first_place
""")


# A 删除 that customs took ends the document that it deletes.
_DELETE = text("""
UPDATE export_orders o SET state = 'deleted', changed_at = :now
FROM export_orders d
WHERE d.id = ANY(string_to_array(:guids, E'\\x1f')::uuid[]) AND d.app_type > 1 AND d.app_type = 3 AND d.state = 'success'
  AND d.enterprise_id = :enterprise AND o.enterprise_id = d.enterprise_id AND o.customs_code = d.customs_code
  AND o.kind = d.kind AND o.order_no = d.order_no AND o.app_type = 1 AND o.state = 'success'
""")


def apply_receipts(enterprise_id: UUID, receipts: list[tuple], now: datetime) -> None:
    """(file id, guid, status, time, number, info, extra as JSON or None), from one company's channel: kept once, applied."""
    if not receipts:
        return
    names = ("files", "guids", "statuses", "times", "numbers", "infos", "extras")
    columns = dict(zip(names, zip(*receipts, strict=True), strict=True))
    # Joined by a character that no XML can hold: the driver takes ten times as long for arrays.
    arrays = {
        name: "\x1f".join("" if value is None else str(value) for value in each) for name, each in columns.items()
    }
    values = {"enterprise": enterprise_id, "now": now}
    session.execute(_TAKE_IN, values | arrays)
    session.execute(_DELETE, values | {"guids": arrays["guids"]})


def answer_of_platform(message_id: UUID, enterprise_id: UUID, is_good: bool, words: str) -> bool:
    """A transport receipt: a refusal ends the message, unless customs has it already. False: not a message of theirs."""
    message = session.get(Message, message_id)
    if message is None or message.enterprise_id != enterprise_id:
        return False
    if not is_good and message.state in ("sending", "sent"):
        message.state, message.problem = "refused", words
    return True


def receipts_of(order_id: UUID, enterprise_id: UUID) -> list[Receipt]:
    query = select(Receipt).where(Receipt.guid == order_id, Receipt.enterprise_id == enterprise_id, Receipt.odd == "")
    return list(session.scalars(query.order_by(Receipt.time, Receipt.serial)))


def odd_receipts(enterprise_id: UUID, limit: int = 100) -> list[Receipt]:
    query = select(Receipt).where(Receipt.enterprise_id == enterprise_id, Receipt.odd != "")
    return list(session.scalars(query.order_by(Receipt.serial.desc()).limit(limit)))


def garbled_files(enterprise_id: UUID, limit: int = 100) -> list[InboxFile]:
    query = select(InboxFile).where(InboxFile.enterprise_id == enterprise_id, InboxFile.verdict == "garbled")
    return list(session.scalars(query.order_by(InboxFile.at.desc()).limit(limit)))

"""How messages of a company go to customs and who signs them: channel, 加密机 or 加签 service, holds, pauses, refusals."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKey, Index, and_, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from .database import Base, Row, session
from .exports import CompanyProfile
from .orders import IS_HELD, Message, Order, Push
from .types import Encrypted, UtcDateTime

FARTHEST = timedelta(minutes=20)  # nothing here waits longer than that


def has_come(moment, now: datetime):
    """Whether a moment (a column) is over. One that lies farther ahead than any wait was written before the clock was set
    back: who waited for it would wait for days."""
    return or_(moment <= now, moment > now + FARTHEST)


class Line(NamedTuple):
    """What goes one way: the messages of a company under one 传输ID."""

    enterprise_id: UUID
    dxp_id: str


class ProfileChannel(Row):
    """Channel and signer of one 企业资料. Hosts are codes of the operator's list; empty: folder, card.

    `accounts`: {send_user, send_password, receive_user, receive_password, sign_user, sign_password}, all texts.
    `problem`: why the signer is not used any more until somebody saves again, {number, template, parts}.
    """

    __tablename__ = "profile_channels"

    profile_id: Mapped[UUID] = mapped_column(ForeignKey("company_profiles.id"), unique=True)
    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"), index=True)
    send_host: Mapped[str] = mapped_column(default="")
    receive_host: Mapped[str] = mapped_column(default="")
    signer: Mapped[str] = mapped_column(default="")
    accounts_sealed: Mapped[bytes | None]
    unattended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: each push is signed by card
    unattended_by: Mapped[str] = mapped_column(default="")
    problem: Mapped[dict | None] = mapped_column(JSONB)
    receive_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    accounts = Encrypted("accounts_sealed")


class Hold(Base):
    """An act ("send", "receive" or "sign") of a line that failed: not before `next_at` again. `sentence`: what failed,
    {number, template, parts}."""

    __tablename__ = "line_holds"

    enterprise_id: Mapped[UUID] = mapped_column(primary_key=True)
    dxp_id: Mapped[str] = mapped_column(primary_key=True)
    act: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sentence: Mapped[dict] = mapped_column(JSONB)


class SendingPause(Base):
    """暂停: nothing of the company is sent while the row is there."""

    __tablename__ = "sending_pauses"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str]


class Refusal(Base):
    """How often the other side said no to one message, and its last reason, {number, template, parts}."""

    __tablename__ = "message_refusals"

    message_id: Mapped[UUID] = mapped_column(
        ForeignKey("customs_messages.id", ondelete="CASCADE"), primary_key=True
    )  # fmt: skip
    count: Mapped[int]
    sentence: Mapped[dict] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class SigningOrder(Base):
    """A push that a signer signs without anybody there. `problem`: why it stopped for good, {number, template, parts}."""

    __tablename__ = "signing_orders"

    push_id: Mapped[UUID] = mapped_column(ForeignKey("pushes.id"), primary_key=True)
    by: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    problem: Mapped[dict | None] = mapped_column(JSONB)

    __table_args__ = (Index("ix_signing_orders_open", "leased_until", postgresql_where=text("done_at IS NULL")),)


Index(
    "ix_customs_messages_refused", Message.enterprise_id, Message.signed_at,
    postgresql_where=Message.state == "refused",
)  # fmt: skip


# -- settings


def find_settings(profile_id: UUID, *, lock: bool = False) -> ProfileChannel | None:
    query = select(ProfileChannel).where(ProfileChannel.profile_id == profile_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def settings_of_line(line: Line) -> ProfileChannel | None:
    """Of the line's enabled 企业资料; of several with one 传输ID the settings that were changed last."""
    query = select(ProfileChannel).join(CompanyProfile, CompanyProfile.id == ProfileChannel.profile_id)
    query = query.where(CompanyProfile.enterprise_id == line.enterprise_id, CompanyProfile.dxp_id == line.dxp_id)
    query = query.where(CompanyProfile.is_enabled).order_by(ProfileChannel.changed_at.desc()).limit(1)
    return session.scalar(query)


def line_of_settings(settings_id: UUID) -> tuple[ProfileChannel, Line] | None:
    query = select(ProfileChannel, CompanyProfile.enterprise_id, CompanyProfile.dxp_id)
    query = query.join(CompanyProfile, CompanyProfile.id == ProfileChannel.profile_id)
    row = session.execute(query.where(ProfileChannel.id == settings_id)).first()
    return row and (row[0], Line(row[1], row[2]))


def lines_of(enterprise_id: UUID) -> list[tuple[CompanyProfile, ProfileChannel | None]]:
    """The company's enabled 企业资料 that have a 传输ID, with their settings."""
    query = select(CompanyProfile, ProfileChannel)
    query = query.outerjoin(ProfileChannel, ProfileChannel.profile_id == CompanyProfile.id)
    query = query.where(CompanyProfile.enterprise_id == enterprise_id, CompanyProfile.dxp_id != "")
    query = query.where(CompanyProfile.is_enabled).order_by(CompanyProfile.created_at)
    return [tuple(row) for row in session.execute(query)]


def take_due_to_receive(now: datetime, leased_until: datetime) -> list[UUID]:
    """Settings whose host is to be asked for answers now; nobody else takes them before `leased_until`."""
    due = or_(ProfileChannel.receive_due_at.is_(None), has_come(ProfileChannel.receive_due_at, now))
    statement = update(ProfileChannel).where(ProfileChannel.receive_host != "", due)
    statement = statement.values(receive_due_at=leased_until).returning(ProfileChannel.id)
    return list(session.scalars(statement.execution_options(synchronize_session=False)))


def ask_again_at(settings_id: UUID, moment: datetime) -> None:
    statement = update(ProfileChannel).where(ProfileChannel.id == settings_id).values(receive_due_at=moment)
    session.execute(statement.execution_options(synchronize_session=False))


# -- holds and pauses


def find_hold(line: Line, act: str) -> Hold | None:
    return session.get(Hold, (*line, act), populate_existing=True)


def is_held(hold: Hold | None, now: datetime) -> bool:
    return hold is not None and now < hold.next_at <= now + FARTHEST


def holds_of(enterprise_id: UUID) -> list[Hold]:
    query = select(Hold).where(Hold.enterprise_id == enterprise_id).order_by(Hold.since)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def hold(line: Line, act: str, failures: int, next_at: datetime, sentence: dict, now: datetime) -> None:
    values = {"failures": failures, "next_at": next_at, "sentence": sentence}
    statement = insert(Hold).values(enterprise_id=line.enterprise_id, dxp_id=line.dxp_id, act=act, since=now, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["enterprise_id", "dxp_id", "act"], set_=values))


def let_go(line: Line, act: str) -> None:
    statement = delete(Hold).where(
        Hold.enterprise_id == line.enterprise_id, Hold.dxp_id == line.dxp_id, Hold.act == act
    )
    session.execute(statement.execution_options(synchronize_session=False))


def try_now(enterprise_id: UUID, now: datetime) -> None:
    """Whatever is held is tried at once."""
    own = select(Push.id).where(Push.enterprise_id == enterprise_id)
    for statement in (
        update(Hold).where(Hold.enterprise_id == enterprise_id).values(next_at=now),
        update(ProfileChannel).where(ProfileChannel.enterprise_id == enterprise_id).values(receive_due_at=now),
        update(SigningOrder)
        .where(SigningOrder.push_id.in_(own), SigningOrder.done_at.is_(None))
        .values(leased_until=now),
    ):
        session.execute(statement.execution_options(synchronize_session=False))


def find_pause(enterprise_id: UUID) -> SendingPause | None:
    return session.get(SendingPause, enterprise_id, populate_existing=True)


def pause(enterprise_id: UUID, by: str, now: datetime) -> None:
    session.execute(insert(SendingPause).values(enterprise_id=enterprise_id, by=by, at=now).on_conflict_do_nothing())


def go_on(enterprise_id: UUID) -> None:
    session.execute(delete(SendingPause).where(SendingPause.enterprise_id == enterprise_id))


# -- what is to be sent


def line_of_push(push_id: UUID) -> Line | None:
    query = select(Message.enterprise_id, Message.dxp_id).where(Message.push_id == push_id).limit(1)
    row = session.execute(query).first()
    return row and Line(*row)


def count_ready(push_id: UUID, most: int) -> int:
    """Counted up to `most`."""
    query = select(Message.id).where(Message.push_id == push_id, Message.state == "ready").limit(most)
    return session.scalar(select(func.count()).select_from(query.subquery()))


def settle_answered(stale: datetime, now: datetime) -> None:
    """Those in `sending` since before `stale` that have a receipt already are sent."""
    answered = select(Order.id).where(IS_HELD, Order.return_status.isnot(None)).exists()
    statement = update(Message).where(Message.state == "sending", has_come(Message.sending_at, stale), answered)
    session.execute(statement.values(state="sent", sent_at=now).execution_options(synchronize_session=False))


def take_to_send(push_id: UUID, stale: datetime, now: datetime, limit: int) -> list[UUID]:
    """Marks messages as `sending`, to be committed before the channel is written: those that are ready, and those that
    are in `sending` since before `stale`. Nothing while the company pauses."""
    waiting = or_(Message.state == "ready", and_(Message.state == "sending", has_come(Message.sending_at, stale)))
    is_paused = select(SendingPause.at).where(SendingPause.enterprise_id == Message.enterprise_id).exists()
    chosen = select(Message.id).where(Message.push_id == push_id, waiting, ~is_paused)
    chosen = chosen.order_by(Message.block).limit(limit).with_for_update(skip_locked=True, of=Message)
    values = {"state": "sending", "sending_at": now, "wrapped_at": func.coalesce(Message.wrapped_at, now)}
    statement = update(Message).where(Message.id.in_(chosen)).values(values).returning(Message.id)
    return list(session.scalars(statement.execution_options(synchronize_session=False)))


def pushes_left(ready: datetime, stale: datetime, now: datetime) -> list[tuple[UUID, Line]]:
    """Pushes with messages that no job took up: signed before `ready`, or in `sending` since before `stale`. The small
    ones first. Lines that are held and companies that pause are left out."""
    left = or_(
        and_(Message.state == "ready", has_come(Message.signed_at, ready)),
        and_(Message.state == "sending", has_come(Message.sending_at, stale)),
    )
    is_paused = select(SendingPause.at).where(SendingPause.enterprise_id == Message.enterprise_id).exists()
    busy = and_(Hold.enterprise_id == Message.enterprise_id, Hold.dxp_id == Message.dxp_id, Hold.act == "send")
    is_busy = select(Hold.act).where(busy, ~has_come(Hold.next_at, now)).exists()
    query = select(Message.push_id, Message.enterprise_id, Message.dxp_id).where(left, ~is_paused, ~is_busy)
    query = query.group_by(Message.push_id, Message.enterprise_id, Message.dxp_id).order_by(func.count())
    return [(push_id, Line(*line)) for push_id, *line in session.execute(query) if push_id]


def put_back(message_ids: list[UUID], sending_at: datetime) -> None:
    """Messages of which the other side may know stay in `sending`; the moment says when they are stale."""
    statement = update(Message).where(Message.id.in_(message_ids), Message.state == "sending")
    session.execute(statement.values(sending_at=sending_at).execution_options(synchronize_session=False))


def waiting_of(enterprise_id: UUID, code: str) -> dict[str, tuple[int, int]]:
    """{state: (messages, orders)} of what is signed and not sent."""
    query = select(Message.state, func.count(), func.sum(Message.order_count))
    query = query.where(Message.enterprise_id == enterprise_id, Message.customs_code == code)
    query = query.where(Message.state.in_(("ready", "sending")))
    return {state: (count, int(orders)) for state, count, orders in session.execute(query.group_by(Message.state))}


# -- refusals


def refuse(message_id: UUID, sentence: dict, now: datetime) -> int:
    """Counts one more no; gives how many there were."""
    statement = insert(Refusal).values(message_id=message_id, count=1, sentence=sentence, at=now)
    values = {"count": Refusal.count + 1, "sentence": sentence, "at": now}
    return session.scalar(
        statement.on_conflict_do_update(index_elements=["message_id"], set_=values).returning(Refusal.count)
    )


def bury(message_id: UUID, problem: str) -> None:
    """A message that the other side will not have is not sent any more until somebody says so."""
    statement = update(Message).where(Message.id == message_id, Message.state == "sending")
    session.execute(statement.values(state="refused", problem=problem).execution_options(synchronize_session=False))


def forget_refusals(message_ids: list[UUID]) -> None:
    session.execute(delete(Refusal).where(Refusal.message_id.in_(message_ids)))


def dead_letters(enterprise_id: UUID, code: str, limit: int) -> list[tuple[Message, Refusal | None]]:
    """Messages that did not get to customs, the newest first; without a `Refusal`: the platform refused it later."""
    query = select(Message, Refusal).outerjoin(Refusal, Refusal.message_id == Message.id)
    query = query.where(
        Message.enterprise_id == enterprise_id, Message.customs_code == code, Message.state == "refused"
    )
    query = query.order_by(Message.signed_at.desc(), Message.id).limit(limit)
    return [tuple(row) for row in session.execute(query.execution_options(populate_existing=True))]


# -- signing without anybody there


def order_signing(push_id: UUID, by: str, now: datetime, leased_until: datetime) -> None:
    values = {"by": by, "at": now, "leased_until": leased_until, "done_at": None, "problem": None}
    statement = insert(SigningOrder).values(push_id=push_id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["push_id"], set_=values))


def find_signing_order(push_id: UUID) -> SigningOrder | None:
    return session.get(SigningOrder, push_id, populate_existing=True)


def end_signing(push_id: UUID, now: datetime, problem: dict | None = None) -> None:
    statement = update(SigningOrder).where(SigningOrder.push_id == push_id).values(done_at=now, problem=problem)
    session.execute(statement.execution_options(synchronize_session=False))


def lease_signing(push_id: UUID, until: datetime) -> None:
    statement = update(SigningOrder).where(SigningOrder.push_id == push_id).values(leased_until=until)
    session.execute(statement.execution_options(synchronize_session=False))


def take_signing_left(now: datetime, leased_until: datetime) -> list[UUID]:
    """Pushes that a signer is to sign and no job is at."""
    statement = update(SigningOrder).where(SigningOrder.done_at.is_(None), has_come(SigningOrder.leased_until, now))
    statement = statement.values(leased_until=leased_until).returning(SigningOrder.push_id)
    return list(session.scalars(statement.execution_options(synchronize_session=False)))


def unsigned_of(push_id: UUID, limit: int) -> dict[UUID, bytes]:
    """{id: canonical bytes} of the push's next unsigned messages."""
    query = select(Message.id, Message.canonical).where(Message.push_id == push_id, Message.state == "unsigned")
    return dict(tuple(row) for row in session.execute(query.order_by(Message.task_id, Message.block).limit(limit)))

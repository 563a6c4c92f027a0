"""Handing a 报关单 to the company's import client, and what comes back: stored and committed, then acknowledged, then applied."""

import hashlib
from pathlib import Path
from uuid import UUID

from flask import current_app

from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.common.history import record
from gateways.customs_dxp import declaration as wire
from gateways.customs_dxp.hardened_xml import BadXml
from gateways.customs_dxp.import_client import NOT_TAKEN, STATUS, TAKEN, Answer, ImportFolder, read_answer
from gateways.customs_dxp.port import ContentDiffers
from models import declarations
from models.database import session
from models.declarations import Declaration, DeclarationAnswer

from .making import NotPossible

REFUSALS = frozenset("4EYHZD")  # not taken, to be done again (data/dec_channel.csv)
RELEASES = frozenset("BFGJKPR")  # 放行, 审结, 结关
OPEN = (declarations.READY, declarations.HANDED)  # an answer may be here before the state says that it was handed over


def folder_root(enterprise_id: UUID) -> Path:
    """From the company's id, never from what anybody typed."""
    return Path(current_app.config["SETTINGS"].customs_folder) / f"declarations-{enterprise_id.hex}"


def zip_of(row: Declaration) -> tuple[str, bytes]:
    """(name, bytes); always the same for one 报关单. Raises NotPossible while it is not made."""
    if row.content is None:
        raise NotPossible("90917", "报关单{number}还没有生成，请先核对、生成", number=row.number)
    return wire.pack(row.number, row.content)


def hand_over(row: Declaration, principal: Principal) -> None:
    """Puts the zip into the company's folder. Commits before and after. Raises NotPossible."""
    name, data = zip_of(row)
    has_folder = declarations.find_folder(row.enterprise_id) is not None
    session.commit()
    if not has_folder:
        raise NotPossible("90899", "本单位没有打开导入客户端的文件夹，请先打开，或下载导入文件")
    try:
        ImportFolder(folder_root(row.enterprise_id)).put(name, data)
    except ContentDiffers as error:
        raise NotPossible("90897", "导入客户端里有同一编号的另一份内容，没有再放，请报给客服热线") from error
    except OSError as error:
        raise NotPossible(
            "90897", "导入文件写不进文件夹（磁盘满了，或没有权限），请告诉技术支持，过一会儿再放"
        ) from error
    mark_handed(row, "放入导入客户端", principal)


def mark_handed(row: Declaration, act: str, principal: Principal) -> None:
    """From now on its number is known outside. Commits."""
    row = declarations.find_declaration(row.enterprise_id, row.customs_code, row.id, lock=True)
    if row is not None:
        if row.state == declarations.READY:
            row.state, row.handed_at = declarations.HANDED, clock.now()
        record(act, f"declaration:{row.id}", principal, number=row.number)
    session.commit()


# -- answers


def poll_answers() -> None:
    """Loop, every second. Any number of workers may do it at once."""
    enterprise_ids = declarations.folders()
    session.commit()
    for enterprise_id in enterprise_ids:
        try:
            take_in(ImportFolder(folder_root(enterprise_id)), enterprise_id)
        except OSError:
            current_app.logger.exception("import client: folder of %s", enterprise_id)
    apply_answers()


def take_in(folder: ImportFolder, enterprise_id: UUID) -> None:
    for name, data in folder.receive():
        keep(enterprise_id, name, data)
        folder.acknowledge(name)


def keep(enterprise_id: UUID, name: str, data: bytes) -> None:
    """Commits."""
    declarations.keep_answer(enterprise_id, name, hashlib.sha256(data).digest(), data, clock.now())
    session.commit()


def apply_answers() -> None:
    """All that is stored and not looked at, also what a killed worker left."""
    while rows := declarations.answers_not_looked_at():
        session.commit()
        for answer_id, name, content in rows:
            try:
                said = read_answer(name, content)
            except BadXml as error:
                said = str(error)
            _note(answer_id, said)
            session.commit()
    session.commit()


def _note(answer_id: UUID, said: Answer | str) -> None:
    row = declarations.lock_answer(answer_id)
    if row.kind:  # another worker was first
        return
    if isinstance(said, str):
        row.kind, row.note = "garbled", said
        return
    for name in ("kind", "number", "seq_no", "entry_id", "channel", "note", "time"):
        setattr(row, name, getattr(said, name))
    found = declarations.lock_declaration_by(row.enterprise_id, number=row.number, seq_no=row.seq_no)
    row.odd = _apply(found, row) if found else "unknown"
    row.declaration_id = found.id if found else None
    if found and row.kind == TAKEN and not row.odd:
        for early in declarations.early_answers(row.enterprise_id, row.seq_no):
            early.odd, early.declaration_id = _apply(found, early), found.id


def _apply(row: Declaration, answer: DeclarationAnswer) -> str:
    """Changes the 报关单; gives why not, or "". Older never over newer; what was taken is not un-taken by its client."""
    if row.content is None:
        return "early"
    if answer.kind == STATUS:
        return _apply_status(row, answer)
    if row.state not in OPEN:
        return "" if answer.kind == TAKEN and row.seq_no == answer.seq_no else "late"
    row.changed_at, row.note = clock.now(), answer.note
    if answer.kind == NOT_TAKEN:
        row.state = declarations.REFUSED
        declarations.let_orders_go(row.id)
    else:
        row.state, row.seq_no = declarations.TAKEN, answer.seq_no
    return ""


def _apply_status(row: Declaration, answer: DeclarationAnswer) -> str:
    if answer.time < row.noted_at:
        return "old"
    row.channel, row.note, row.noted_at, row.changed_at = answer.channel, answer.note, answer.time, clock.now()
    row.entry_id = answer.entry_id or row.entry_id
    if answer.channel in REFUSALS:
        row.state = declarations.REFUSED
        declarations.let_orders_go(row.id)
    elif answer.channel in RELEASES:
        row.state = declarations.RELEASED
    elif row.state != declarations.RELEASED:
        row.state = declarations.TAKEN
    return ""

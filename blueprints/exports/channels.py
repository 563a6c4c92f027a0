"""Channels and signers of 企业资料: what the operator offers, what a company chose, how it is opened and tested.

choices: channel_choices(), signer_choices() → [(code, name)]; save_settings(profile_id, {...}) raises BadSetting;
settings_of(profile_id) → dict without secrets; test(profile_id) → Sentence, number "90800" when all is well.
"""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from flask import current_app

from blueprints.common import clock
from blueprints.common.numbers import Sentence
from gateways.certificates import CardCertificate, NotVerified, check_certificate, read_authorities, read_certificate
from gateways.customs_dxp.amqp_channel import AmqpChannel
from gateways.customs_dxp.folder_channel import FolderChannel
from gateways.customs_dxp.http_channel import HttpChannel
from gateways.customs_dxp.port import Channel
from gateways.outcomes import NotLetIn, Unavailable
from gateways.signers import HttpSigner, Pkcs11Signer, Signer
from models import channels
from models.accounts import Enterprise
from models.challenges import lost_marks
from models.channels import Line, ProfileChannel
from models.database import session
from models.exports import CompanyProfile

FOLDER, CARD = "", ""  # what is used where nothing was chosen
SECRETS = ("send_password", "receive_password", "sign_password")
NAMES = ("send_user", "receive_user", "sign_user")
HOSTS = ("send_host", "receive_host", "signer")
ALL_WELL = Sentence("90800", "测试通过：通道和加签都能用")


@dataclass(frozen=True)
class Host:
    """One entry of the operator's list. kind: amqp | http (channels), service | pkcs11 (signers).

    `address`: URL, or for pkcs11 the path of the vendor's module.
    """

    code: str
    name: str
    kind: str
    address: str


class BadSetting(ValueError):
    """`field`: the key of `save_settings`; `sentence`: what to do."""

    def __init__(self, field: str, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.field, self.sentence = field, sentence


class OffList(Unavailable):
    """The host that was chosen is no more on the operator's list."""


# -- what the operator offers


def channel_hosts() -> dict[str, Host]:
    return _hosts("channels")


def signer_hosts() -> dict[str, Host]:
    return _hosts("signers")


def _hosts(kind: str) -> dict[str, Host]:
    """Those with an address that this installation may use: in production encrypted ones only. `sandbox` is the path of
    an entry there, used where a sandbox stands for the outside world."""
    settings, hosts = current_app.config["SETTINGS"], {}
    for row in current_app.config["REGION"]["exports"][kind]["hosts"]:
        address = row.get("address", "")
        if settings.sandbox_origin and row.get("sandbox"):
            address = settings.sandbox_origin + row["sandbox"]
        if address and not (settings.is_production and address.startswith(("http://", "amqp://"))):
            hosts[row["code"]] = Host(row["code"], row["name"], row["kind"], address)
    return hosts


def channel_choices() -> list[tuple[str, str]]:
    return [(FOLDER, "导入客户端的文件夹"), *((host.code, host.name) for host in channel_hosts().values())]


def signer_choices() -> list[tuple[str, str]]:
    return [(CARD, "电子口岸卡（每次推送插卡）"), *((host.code, host.name) for host in signer_hosts().values())]


# -- what a company chose


def settings_of(profile_id: UUID) -> dict:
    """{send_host, receive_host, signer, send_user, receive_user, sign_user, has_send_password, …, is_unattended}."""
    row = channels.find_settings(profile_id)
    accounts = (row and row.accounts) or {}
    return {
        **{name: getattr(row, name) if row else "" for name in HOSTS},
        **{name: accounts.get(name, "") for name in NAMES},
        **{f"has_{name}": bool(accounts.get(name)) for name in SECRETS},
        "is_unattended": bool(row and row.unattended_at),
    }


def save_settings(profile_id: UUID, values: dict) -> None:
    """Keeps `HOSTS`, `NAMES` and `SECRETS` of `values`; what is absent stays, an empty secret stays. Another signer, or
    another user of it, ends what was switched on from a card. Flushes. Raises BadSetting."""
    row = channels.find_settings(profile_id, lock=True) or _new_settings(profile_id)
    accounts = dict(row.accounts or {})
    before = (row.signer, accounts.get("sign_user", ""))
    for name in HOSTS:
        setattr(row, name, values.get(name, getattr(row, name)))
    accounts |= {name: values[name].strip() for name in NAMES if name in values}
    accounts |= {name: values[name] for name in SECRETS if values.get(name)}
    _check(row, accounts)
    row.accounts, row.changed_at = accounts, clock.now()
    row.problem, row.receive_due_at = None, None
    if before != (row.signer, accounts.get("sign_user", "")):
        row.unattended_at, row.unattended_by = None, ""
    session.add(row)
    session.flush()
    profile = session.get(CompanyProfile, profile_id)
    for act in ("send", "receive", "sign"):
        channels.let_go(Line(profile.enterprise_id, profile.dxp_id), act)


def _new_settings(profile_id: UUID) -> ProfileChannel:
    profile = session.get(CompanyProfile, profile_id)
    return ProfileChannel(
        profile_id=profile_id, enterprise_id=profile.enterprise_id, send_host="", receive_host="", signer="",
        unattended_by="",
    )  # fmt: skip


def _check(row: ProfileChannel, accounts: dict) -> None:
    parts = (
        ("send_host", "send_user", "send_password", channel_hosts(), "发送通道"),
        ("receive_host", "receive_user", "receive_password", channel_hosts(), "接收通道"),
        ("signer", "sign_user", "sign_password", signer_hosts(), "加签"),
    )
    for field, user, password, hosts, label in parts:
        chosen = getattr(row, field)
        if chosen and chosen not in hosts:
            raise BadSetting(field, Sentence("90795", "{label}地址不在本地区的名单里，请从列表里选一个", label=label))
        for name, words in ((user, "用户名"), (password, "密码")):
            if chosen and not accounts.get(name):
                raise BadSetting(
                    name, Sentence("90805", "选了{label}地址，还要填{label}{words}", label=label, words=words)
                )


# -- opening


def customs_folder() -> Path:
    return Path(current_app.config["SETTINGS"].customs_folder)


def folder_of(enterprise_id: UUID) -> FolderChannel:
    """The company's own folder: from its id, never from what anybody typed. Raises OSError."""
    return FolderChannel(customs_folder() / enterprise_id.hex)


def open_sending(line: Line) -> tuple[Channel, str]:
    """(channel, its name). Raises OffList, OSError. No other host is asked before the channel is used."""
    row = channels.settings_of_line(line)
    if row is None or not row.send_host:
        return folder_of(line.enterprise_id), "文件夹"
    return _channel(row, "send", line)


def open_receiving(row: ProfileChannel, line: Line) -> tuple[Channel, str]:
    return _channel(row, "receive", line)


def is_remote(line: Line) -> bool:
    row = channels.settings_of_line(line)
    return bool(row and row.send_host)


def _channel(row: ProfileChannel, way: str, line: Line) -> tuple[Channel, str]:
    host = channel_hosts().get(getattr(row, f"{way}_host"))
    if host is None:
        raise OffList(way)
    accounts = row.accounts or {}
    user, password = accounts.get(f"{way}_user", ""), accounts.get(f"{way}_password", "")
    if host.kind == "amqp":
        return AmqpChannel(host.address, user, password, line.dxp_id), host.name
    return HttpChannel(host.address, user, password), host.name


def open_signer(row: ProfileChannel) -> tuple[Signer, str]:
    """(signer, its name); to be closed. Asks the signer for its certificate: not inside a transaction.

    Raises OffList, Unavailable, NotLetIn.
    """
    host, accounts = signer_hosts().get(row.signer), row.accounts or {}
    if host is None:
        raise OffList("sign")
    user, password = accounts.get("sign_user", ""), accounts.get("sign_password", "")
    if host.kind == "pkcs11":
        return Pkcs11Signer(host.address, user, password), host.name
    return HttpSigner(host.address, user, password), host.name


def check_signer(certificate: bytes, company: Enterprise) -> CardCertificate:
    """The certificate must be valid, of a card authority, and the company's own. Raises Problem."""
    settings, read = current_app.config["SETTINGS"], None
    try:
        read = read_certificate(certificate)
        lost = lost_marks(read.serial_hex, read.card_number)
        authorities = read_authorities(settings.card_authorities) if settings.card_authorities.is_dir() else ()
        card = check_certificate(certificate, authorities, lost, clock.now())
    except NotVerified as refused:
        raise Problem(
            Sentence("90799", "加签的证书不能用：{why}", why=WHY.get(refused.reason, WHY["certificate"]))
        ) from refused
    if card.uscc != company.uscc:
        raise Problem(
            Sentence("90798", "加签的证书是「{company}」的，不是本单位的，请核对加签用户名", company=card.company)
        )
    return card


WHY = {
    "certificate": "读不懂，或没有写明单位", "chain": "不是电子口岸数据中心发的", "not-yet-valid": "还没有生效",
    "validity-expired": "已经过期，请到制卡点更新", "key-usage": "不是用来签名的", "reported-lost": "已经挂失",
    "algorithm": "算法不对",
}  # fmt: skip


class Problem(Exception):
    """`sentence` says what is wrong and what to do."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.sentence = sentence


# -- words and tests


def words_of(error: Exception, name: str) -> Sentence:
    """What a page says of a channel or signer that did not work."""
    match error:
        case OffList():
            return Sentence("90795", "{label}地址不在本地区的名单里，请从列表里选一个", label=name)
        case NotLetIn():
            return Sentence("90791", "「{name}」不认用户名或密码，请在企业资料里改好", name=name)
        case Unavailable():
            return Sentence("90790", "「{name}」连不上或没有答复，系统会自动再试，不用重做", name=name)
        case _:
            return Sentence("90792", "报文写不进文件夹（磁盘满了，或没有权限），请告诉技术支持；系统会自动再试")


def test(profile_id: UUID) -> Sentence:
    """Tries the ways of a 企业资料 and gives the first that does not work, or `ALL_WELL`. Commits before it asks."""
    profile = session.get(CompanyProfile, profile_id)
    row, line = channels.find_settings(profile_id), Line(profile.enterprise_id, profile.dxp_id)
    company = session.get(Enterprise, profile.enterprise_id)
    session.commit()
    ways = [("发送通道", lambda: _sending_of(row, line))]
    if row and row.receive_host:
        ways.append(("接收通道", lambda: open_receiving(row, line)))
    for label, opening in ways:
        if problem := _try_channel(label, opening):
            return problem
    return (row and row.signer and _try_signer(row, company)) or ALL_WELL


def _sending_of(row: ProfileChannel | None, line: Line) -> tuple[Channel, str]:
    return _channel(row, "send", line) if row and row.send_host else (folder_of(line.enterprise_id), "文件夹")


def _try_channel(name: str, opening) -> Sentence | None:
    try:
        channel, name = opening()
        try:
            channel.check()
        finally:
            channel.close()
    except (Unavailable, OSError) as error:
        return words_of(error, name)
    return None


def _try_signer(row: ProfileChannel, company: Enterprise) -> Sentence | None:
    name = "加签"
    try:
        signer, name = open_signer(row)
        try:
            certificate = signer.certificate
        finally:
            signer.close()
        check_signer(certificate, company)
    except Unavailable as error:
        return signer_words(error, name)
    except Problem as problem:
        return problem.sentence
    return None


def signer_words(error: Exception, name: str) -> Sentence:
    match error:
        case OffList():
            return words_of(error, name)
        case NotLetIn():
            return Sentence(
                "90797", "「{name}」不认加签用户名或密码，已经停下不再试，请在企业资料里改好再推", name=name
            )
        case _:
            return Sentence("90796", "「{name}」连不上或没有答复，系统会自动再试；急着要推的，可以改用卡签", name=name)

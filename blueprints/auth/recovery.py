"""A new password for somebody who proved to be the owner: what ends with the old one, and who is told."""

from datetime import timedelta

from flask import current_app

from blueprints.common import clock
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
from blueprints.common.proofs import WrongProof, read_link
from models.accounts import User, find_user, forget_devices, lock_user
from models.clients import revoke_clients_of
from models.database import session
from models.proofs import Proof, forget_proofs, lock_proof
from models.sessions import end_logins

from .base import hotline
from .contacts import tell_contacts
from .services import forget_failures

WAYS = {"mail": "邮箱", "sms": "手机"}


def recoverable(name: str) -> User | None:
    """Stopped accounts get no messages; the page says the same."""
    user = find_user(name)
    return user if user and user.is_active else None


def use_link(purpose: str, token: str) -> Proof:
    """The proof behind a link, used up; of two at the same moment one. Raises `WrongProof`."""
    lock_proof(read_link(purpose, token).id)
    proof = read_link(purpose, token)
    proof.used_at = clock.now()
    return proof


def guard(user: User) -> None:
    """Delicate changes wait, so that a thief of the mailbox cannot take the account over before the owner hears of it."""
    user.guarded_until = clock.now() + timedelta(hours=current_app.config["REGION"]["recovery"]["guard_hours"])


def recover(proof: Proof, password_hash: str) -> None:
    """Whatever the old password opened is closed. Raises `WrongProof` where the account was stopped meanwhile."""
    user = lock_user(proof.user_id)
    if not user.is_active:
        raise WrongProof(Sentence("90507", "这个账号已经停用，请找本单位的管理员，或打客服热线"))
    if user.password_hash:  # the first password of a migrated account replaces nothing
        guard(user)
    user.password_hash, user.initial_until = password_hash, None
    end_logins(user.id, clock.now())
    revoke_clients_of(user.id, clock.now())
    forget_devices(user.id)
    session.flush()
    forget_proofs(user.id)
    forget_failures(user)
    record("找回密码", f"user:{user.id}", by=user.shown_name, enterprise_id=user.enterprise_id, way=proof.way)
    tell_contacts(user, "账号的密码已经重新设过", words_of_recovery(user, proof.way))


def words_of_recovery(user: User, way: str) -> str:
    at = f"{clock.local(clock.now()):%Y-%m-%d %H:%M}"
    return (
        f"账号{user.shown_name}的密码在{at}用{WAYS[way]}重新设过，别处的登录都已退出，自动导入客户端要重新登记。"
        f"不是本人办的，请马上打客服热线{hotline()}。"
    )

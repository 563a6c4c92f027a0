"""Everybody who can be reached about an account: its owner, and for an operator the company's administrator."""

from blueprints.common.notices import notify, notify_by_sms
from blueprints.common.proofs import can_sms
from models.accounts import User, administrator_of


def contacts_of(user: User) -> list[tuple[str, str]]:
    """[(way mail | sms, address)], each once."""
    people = [user]
    if user.role == "operator" and user.enterprise_id and (chief := administrator_of(user.enterprise_id)):
        people.append(chief)
    mails = [("mail", person.email) for person in people if person.email]
    phones = [("sms", person.mobile) for person in people if person.mobile and can_sms()]
    return list(dict.fromkeys(mails + phones))


def tell_contacts(user: User, subject: str, text: str) -> None:
    for way, address in contacts_of(user):
        if way == "sms":
            notify_by_sms(address, text)
        else:
            notify(address, subject, text)

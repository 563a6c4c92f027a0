"""The gateways of this installation, made from the settings; `EPORT_…_URL` empty means off."""

from dataclasses import dataclass, field

from flask import current_app

from gateways.banks import Bank, connect_bank
from gateways.company_register import CompanyRegister, HttpCompanyRegister, OffCompanyRegister
from gateways.identity import HttpIdentity, Identity, OffIdentity
from gateways.mail import Mailer, SmtpMailer
from gateways.sms import HttpSms, OffSms, Sms


@dataclass(frozen=True)
class Gateways:
    company_register: CompanyRegister
    mail: Mailer | None  # None: notices wait
    sms: Sms = OffSms()
    identity: Identity = OffIdentity()
    banks: dict[str, Bank] = field(default_factory=dict)  # by slug; those that are missing are off


def connect_gateways(settings) -> Gateways:
    register = OffCompanyRegister()
    if settings.company_register_url:
        register = HttpCompanyRegister(settings.company_register_url, settings.company_register_token)
    host, _, port = settings.smtp.partition(":")
    mail = SmtpMailer(host, int(port), settings.mail_from) if settings.smtp else None
    sms = HttpSms(settings.sms_url, settings.sms_token) if settings.sms_url else OffSms()
    identity = HttpIdentity(settings.identity_url, settings.identity_token) if settings.identity_url else OffIdentity()
    banks = {slug: connect_bank(slug, url, settings.bank_keys) for slug, url in settings.bank_urls.items()}
    return Gateways(register, mail, sms, identity, banks)


def gateways() -> Gateways:
    return current_app.config["GATEWAYS"]

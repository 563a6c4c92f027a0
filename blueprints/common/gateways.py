"""The gateways of this installation, made from the settings; `EPORT_…_URL` empty means off."""

from dataclasses import dataclass

from flask import current_app

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


def connect_gateways(settings) -> Gateways:
    register = OffCompanyRegister()
    if settings.company_register_url:
        register = HttpCompanyRegister(settings.company_register_url, settings.company_register_token)
    host, _, port = settings.smtp.partition(":")
    mail = SmtpMailer(host, int(port), settings.mail_from) if settings.smtp else None
    sms = HttpSms(settings.sms_url, settings.sms_token) if settings.sms_url else OffSms()
    identity = HttpIdentity(settings.identity_url, settings.identity_token) if settings.identity_url else OffIdentity()
    return Gateways(register, mail, sms, identity)


def gateways() -> Gateways:
    return current_app.config["GATEWAYS"]

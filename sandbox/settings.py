"""Where the sandbox listens, keeps its state and finds its neighbours: every variable, its default and its unit."""

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path


class NotAllowed(Exception):
    """The sandbox must not start this way; the text says why."""


@dataclass(frozen=True)
class Settings:
    folder: Path  # EPORT_SANDBOX_FOLDER: databases, ca/, cards/, banks/
    customs_folder: Path  # EPORT_CUSTOMS_FOLDER: <enterprise id>/{OutBox,SentBox,FailBox,InBox,ReadBox}
    address: str = "127.0.0.1"  # EPORT_SANDBOX_ADDRESS: loopback only
    port: int = 8090  # EPORT_SANDBOX_PORT
    smtp_port: int = 8025  # EPORT_SANDBOX_SMTP_PORT
    vpcd_port: int = 35963  # EPORT_VPCD_PORT: where the virtual card is plugged in
    amqp: str = ""  # EPORT_SANDBOX_AMQP: amqp:// address of a broker where customs listens too; empty: none
    portal: str = "http://127.0.0.1:8080"  # EPORT_PUBLIC_ORIGIN: for the link back
    register_token: str = "sandbox"  # EPORT_COMPANY_REGISTER_TOKEN
    identity_token: str = "sandbox"  # EPORT_IDENTITY_TOKEN
    sms_token: str = "sandbox"  # EPORT_SMS_TOKEN


def from_environment(variables=os.environ) -> Settings:
    """Settings from EPORT_… variables. Raises NotAllowed in production and for an address other machines can reach."""
    if variables.get("EPORT_MODE") == "production":
        raise NotAllowed("The sandbox does not run in production (EPORT_MODE=production).")
    address = variables.get("EPORT_SANDBOX_ADDRESS", Settings.address)
    if not _is_loopback(address):
        raise NotAllowed(f"The sandbox listens on this machine only; {address} is not a loopback address.")
    folder = Path(variables.get("EPORT_SANDBOX_FOLDER", "instance/sandbox")).resolve()
    return Settings(
        folder=folder,
        customs_folder=Path(variables.get("EPORT_CUSTOMS_FOLDER", folder.parent / "customs")).resolve(),
        address=address,
        port=int(variables.get("EPORT_SANDBOX_PORT", Settings.port)),
        smtp_port=int(variables.get("EPORT_SANDBOX_SMTP_PORT", Settings.smtp_port)),
        vpcd_port=int(variables.get("EPORT_VPCD_PORT", Settings.vpcd_port)),
        amqp=variables.get("EPORT_SANDBOX_AMQP", Settings.amqp),
        portal=variables.get("EPORT_PUBLIC_ORIGIN", Settings.portal),
        register_token=variables.get("EPORT_COMPANY_REGISTER_TOKEN", Settings.register_token),
        identity_token=variables.get("EPORT_IDENTITY_TOKEN", Settings.identity_token),
        sms_token=variables.get("EPORT_SMS_TOKEN", Settings.sms_token),
    )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False

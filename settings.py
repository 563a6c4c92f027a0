"""Every setting of the portal: typed, with its environment variable, default and unit."""

import os
import re
from dataclasses import dataclass, field, fields
from pathlib import Path

from cryptography import x509

ROOT = Path(__file__).parent
BANK = r"(?:ccb|abc|cmbc)=https?://[^\s,=?#]+"  # of EPORT_BANKS


class SettingsError(Exception):
    """The settings do not fit together; each line of the text says one thing to mend."""


def setting(default: object, variable: str, meaning: str):
    return field(default=default, metadata={"variable": variable, "meaning": meaning})


@dataclass(frozen=True)
class Settings:
    """Read once at start from the environment (in production: one file, `EnvironmentFile=` of systemd)."""

    mode: str = setting("production", "EPORT_MODE", "production | demo | test")
    public_origin: str = setting("", "EPORT_PUBLIC_ORIGIN", "scheme://host[:port] as users see it; https in production")
    database_url: str = setting("", "EPORT_DATABASE_URL", "postgresql+psycopg://…")
    region: str = setting("hebei", "EPORT_REGION", "name of a file in regions/, or the path of one")
    secret_key: str = setting("", "EPORT_SECRET_KEY", "signs cookies; at least 32 characters")
    data_keys: str = setting("", "EPORT_DATA_KEYS", "id:base64 of 32 bytes[,older…]; the first encrypts, all decrypt")
    file_store: Path = setting(ROOT / "instance/files", "EPORT_FILE_STORE", "folder of uploaded files")
    card_authorities: Path = setting(ROOT / "instance/ca", "EPORT_CARD_AUTHORITIES", "folder of CA certificates, *.pem")
    customs_folder: Path = setting(ROOT / "instance/customs", "EPORT_CUSTOMS_FOLDER", "root of the DXP folder channel")
    company_register_url: str = setting("", "EPORT_COMPANY_REGISTER_URL", "gateway; empty = off")
    company_register_token: str = setting("", "EPORT_COMPANY_REGISTER_TOKEN", "bearer token of that gateway")
    identity_url: str = setting("", "EPORT_IDENTITY_URL", "gateway of the identity authority; empty = off")
    identity_token: str = setting("", "EPORT_IDENTITY_TOKEN", "bearer token of that gateway")
    sms_url: str = setting("", "EPORT_SMS_URL", "gateway of short messages; empty = off")
    sms_token: str = setting("", "EPORT_SMS_TOKEN", "bearer token of that gateway")
    banks: str = setting("", "EPORT_BANKS", "slug=address[,slug=address…] of ccb, abc, cmbc; empty: no bank")
    bank_keys: Path = setting(ROOT / "instance/banks", "EPORT_BANK_KEYS", "signing.key, opening.key, <slug>.pem")
    smtp: str = setting("", "EPORT_SMTP", "host:port of the mail server; empty = mail waits")
    mail_from: str = setting("noreply@eport.example", "EPORT_MAIL_FROM", "sender of notices")
    bridge_origin: str = setting("http://127.0.0.1:61230", "EPORT_BRIDGE_ORIGIN", "the card bridge on the user's PC")
    bridge_minimum: str = setting("1.0", "EPORT_BRIDGE_MINIMUM", "oldest bridge version that may answer")
    sandbox_origin: str = setting("", "EPORT_SANDBOX_ORIGIN", "demo and test only: address of the sandbox")
    demo_captcha: str = setting("", "EPORT_DEMO_CAPTCHA", "demo and test only: fixes the captcha text")
    proxies: int = setting(0, "EPORT_PROXIES", "proxies in front that set X-Forwarded-For and -Proto; 0: none")
    session_minutes: int = setting(120, "EPORT_SESSION_MINUTES", "minutes without a click until a session ends")
    login_hours: int = setting(12, "EPORT_LOGIN_HOURS", "hours after which a login ends whatever happens")
    argon2_memory: int = setting(19456, "EPORT_ARGON2_MEMORY", "KiB; OWASP minimum 19456; tests take 8")

    @classmethod
    def from_environment(cls, environ: dict[str, str] | None = None) -> "Settings":
        """Raises `SettingsError` for a value of the wrong type or a set of values that may not run together."""
        environ = os.environ if environ is None else environ
        values, problems = {}, []
        for each in fields(cls):
            text = environ.get(each.metadata["variable"])
            if text is None:
                continue
            try:
                values[each.name] = type(each.default)(text)
            except ValueError:
                problems.append(f"{each.metadata['variable']}={text!r}: {each.metadata['meaning']}")
        if problems:
            raise SettingsError("\n".join(problems))
        settings = cls(**values)
        settings.check()
        return settings

    @property
    def is_production(self) -> bool:
        return self.mode == "production"

    @property
    def is_https(self) -> bool:
        return self.public_origin.startswith("https://")

    @property
    def bank_urls(self) -> dict[str, str]:
        """{slug: address} of the banks that are connected."""
        return dict(re.findall(r"(ccb|abc|cmbc)=([^,]+)", self.banks))

    def check(self) -> None:
        problems = []
        if self.mode not in ("production", "demo", "test"):
            problems.append("EPORT_MODE is production, demo or test")
        if not re.fullmatch(r"https?://[a-z0-9.-]+(:\d+)?", self.public_origin):
            problems.append("EPORT_PUBLIC_ORIGIN is scheme://host[:port], lower case, without a path")
        if self.banks and not re.fullmatch(f"{BANK}(,{BANK})*", self.banks):
            problems.append("EPORT_BANKS is slug=address[,slug=address…]; slugs: ccb, abc, cmbc; no query")
        problems += [f"{name} must be set" for name, value in self._required() if not value]
        if self.is_production:
            problems += self._production_problems()
        if problems:
            raise SettingsError("\n".join(problems))

    def _required(self):
        return (
            ("EPORT_DATABASE_URL", self.database_url),
            ("EPORT_SECRET_KEY", self.secret_key),
            ("EPORT_DATA_KEYS", self.data_keys),
        )

    def _production_problems(self) -> list[str]:
        """What stands for the outside world may not run where real companies declare."""
        problems = []
        if not self.is_https:
            problems.append("production: EPORT_PUBLIC_ORIGIN must be https")
        if self.sandbox_origin or self.demo_captcha:
            problems.append("production: EPORT_SANDBOX_ORIGIN and EPORT_DEMO_CAPTCHA must not be set")
        if len(self.secret_key) < 32 or "demo" in self.secret_key or "demo" in self.data_keys:
            problems.append("production: EPORT_SECRET_KEY needs 32 characters; keys of the demonstration are refused")
        if any(is_of_sandbox(path) for path in self.card_authorities.glob("*.pem")):
            problems.append("production: EPORT_CARD_AUTHORITIES holds a CA of the sandbox")
        urls = {"COMPANY_REGISTER": self.company_register_url, "IDENTITY": self.identity_url, "SMS": self.sms_url}
        for name, url in urls.items():
            if url.startswith("http://"):
                problems.append(f"production: EPORT_{name}_URL must be https")
        return problems + (self._bank_problems() if self.banks else [])

    def _bank_problems(self) -> list[str]:
        problems = []
        if "=http://" in self.banks:
            problems.append("production: EPORT_BANKS must be https")
        names = ("signing.key", "opening.key", *(f"{slug}.pem" for slug in self.bank_urls))
        for path in (self.bank_keys / name for name in names):
            if not path.is_file():
                problems.append(f"production: EPORT_BANK_KEYS lacks {path.name}")
            elif is_of_sandbox(path):
                problems.append(f"production: {path.name} of EPORT_BANK_KEYS belongs to the sandbox")
        return problems


def is_of_sandbox(path: Path) -> bool:
    """The sandbox's authorities say so in their subject; a file that cannot be read is refused later, by name."""
    data = path.read_bytes()
    try:
        return "SANDBOX" in x509.load_pem_x509_certificate(data).subject.rfc4514_string().upper()
    except ValueError:
        return b"SANDBOX" in data

"""企业资料: what may be chosen from, and how it is kept."""

from blueprints.common import clock
from blueprints.common.access import Needs, Principal
from blueprints.common.fields import Problem
from blueprints.common.history import record
from blueprints.common.plain_forms import PageCase, page_case
from models.codes import codes_of
from models.database import session
from models.exports import CompanyProfile, entrusted_codes
from models.transmission import transmission_ids_of

from . import channels
from .forms import ProfileForm

FULL_SET = ["declarant", "platform", "seller"]  # 「3项都勾选」


def profile_sheet(principal: Principal) -> PageCase:
    """Codes with their 电商身份 and 传输IDs that the company holds, codes entrusted to it; nothing of it is typed."""
    held = codes_of(principal.enterprise_id, clock.today())
    granted = transmission_ids_of(principal.enterprise_id)
    entrusted = entrusted_codes(principal.enterprise_id, principal.code, clock.today())
    return page_case(
        codes=[(row.code, f"{row.code}（{'、'.join(row.ecommerce_types) or '没有电商身份'}）") for row in held]
        + [(code, f"{code}（委托单位：{name}）") for code, name in entrusted.items()],
        entrusted=entrusted,
        dxp_ids=[(row.value, row.value) for row in granted],
        granted_for={row.value: row.customs_code for row in granted},
        channels=channels.channel_choices(),
        signers=channels.signer_choices(),
    )


def profile_form(sheet: PageCase, profile: CompanyProfile | None, typed=None, suggested=None) -> ProfileForm:
    """Passwords that are kept already are said to be, and never shown."""
    form = ProfileForm(sheet, "profile", typed, suggested)
    kept = channels.settings_of(profile.id) if profile else {}
    for name in channels.SECRETS:
        form[name].is_kept = kept.get(f"has_{name}", False)
    return form


def suggested_profile(principal: Principal, sheet: PageCase) -> dict:
    """A new profile begins as most end: own name, active code, its 传输ID, 3项都勾选, 启用."""
    granted = [value for value, code in sheet.choices["granted_for"].items() if code == principal.code]
    return {
        "name": principal.enterprise_name, "customs_code": principal.code, "dxp_id": granted[0] if granted else "",
        "types": FULL_SET, "is_enabled": "yes",
    }  # fmt: skip


def values_of_profile(profile: CompanyProfile) -> dict:
    kept = channels.settings_of(profile.id)
    return {name: kept[name] for name in (*channels.HOSTS, *channels.NAMES)} | {
        "name": profile.name, "customs_code": profile.customs_code, "dxp_id": profile.dxp_id, "types": profile.types,
        "remark": profile.remark, "is_enabled": "yes" if profile.is_enabled else "no",
    }  # fmt: skip


def lost_hosts(profile: CompanyProfile, sheet: PageCase) -> bool:
    """A host that was chosen is no more on the operator's list."""
    kept, offered = channels.settings_of(profile.id), {}
    for way in ("channels", "signers"):
        offered |= dict(sheet.choices[way])
    return any(kept[name] not in offered for name in channels.HOSTS)


def why_channels_stay(form: ProfileForm, profile: CompanyProfile | None, principal: Principal) -> Problem | None:
    """Channels and signers are as delicate as a mailbox: not after a login by SMS, not soon after a recovery."""
    kept = channels.settings_of(profile.id) if profile else {}
    changed = [name for name in (*channels.HOSTS, *channels.NAMES) if form.values[name] != kept.get(name, "")]
    changed += [name for name in channels.SECRETS if form[name].value]
    reasons = Needs(unguarded=True).unmet(principal) if changed else []
    return Problem(form.path(form[changed[0]]), reasons[0].number, reasons[0].sentence) if reasons else None


def save_profile(form: ProfileForm, profile: CompanyProfile | None, principal: Principal) -> CompanyProfile:
    """Raises `channels.BadSetting`; then nothing must be committed."""
    if profile is None:
        profile = _new_profile(principal, "domestic")
    for name in ("name", "customs_code", "dxp_id", "types", "remark"):
        setattr(profile, name, form.values[name])
    profile.is_enabled = form.values["is_enabled"] == "yes"
    session.flush()
    settings = {name: form.values[name] for name in (*channels.HOSTS, *channels.NAMES)}
    channels.save_settings(profile.id, settings | {name: form[name].value for name in channels.SECRETS})
    record("保存企业资料", f"profile:{profile.id}", principal)
    return profile


def save_warehouse(name: str, address: str, profile: CompanyProfile | None, principal: Principal) -> CompanyProfile:
    profile = profile or _new_profile(principal, "warehouse")
    profile.name, profile.address, profile.types = name, address, ["warehouse"]
    session.flush()
    record("保存海外仓", f"profile:{profile.id}", principal)
    return profile


def _new_profile(principal: Principal, kind: str) -> CompanyProfile:
    profile = CompanyProfile(
        enterprise_id=principal.enterprise_id, kind=kind, created_at=clock.now(), created_by=principal.name, name=""
    )
    session.add(profile)
    return profile

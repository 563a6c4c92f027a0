"""企业资料 and 业务策略: what may be chosen from, and how they are kept."""

from uuid import UUID

from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.common.history import record
from blueprints.common.plain_forms import PageCase, page_case
from models.codes import codes_of
from models.database import session
from models.exports import CompanyProfile, Strategy, profiles_of, strategy_number_taken
from models.transmission import transmission_ids_of

from .forms import ProfileForm, StrategyForm

FULL_SET = ["declarant", "platform", "seller"]  # 「3项都勾选」


class NumberTaken(Exception):
    """Another strategy of this company and code has the number."""


def profile_sheet(principal: Principal, profile: CompanyProfile | None = None) -> PageCase:
    """Codes with their 电商身份 and 传输IDs that the company holds; nothing of it is typed."""
    held = codes_of(principal.enterprise_id, clock.today())
    granted = transmission_ids_of(principal.enterprise_id)
    return page_case(
        codes=[(row.code, f"{row.code}（{'、'.join(row.ecommerce_types) or '没有电商身份'}）") for row in held],
        dxp_ids=[(row.value, row.value) for row in granted],
        granted_for={row.value: row.customs_code for row in granted},
    )


def suggested_profile(principal: Principal, sheet: PageCase) -> dict:
    """A new profile begins as most end: own name, active code, its 传输ID, 3项都勾选, 启用."""
    granted = [value for value, code in sheet.choices["granted_for"].items() if code == principal.code]
    return {
        "name": principal.enterprise_name, "customs_code": principal.code, "dxp_id": granted[0] if granted else "",
        "types": FULL_SET, "is_enabled": "yes",
    }  # fmt: skip


def values_of_profile(profile: CompanyProfile) -> dict:
    return {
        "name": profile.name, "customs_code": profile.customs_code, "dxp_id": profile.dxp_id, "types": profile.types,
        "remark": profile.remark, "is_enabled": "yes" if profile.is_enabled else "no",
    }  # fmt: skip


def save_profile(form: ProfileForm, profile: CompanyProfile | None, principal: Principal) -> CompanyProfile:
    values = dict(form.values) | {"is_enabled": form.values["is_enabled"] == "yes"}
    if profile is None:
        profile = _new_profile(principal, "domestic")
    for name, value in values.items():
        setattr(profile, name, value)
    session.flush()
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


def strategy_sheet(principal: Principal) -> PageCase:
    """电商平台: enabled profiles of that type, and 海外仓; 电商企业: those that declare under the code in use."""
    profiles = profiles_of(principal.enterprise_id, enabled=True)
    sellers = [p for p in profiles if {"seller", "declarant"} <= set(p.types) and p.customs_code == principal.code]
    warehouses = [p for p in profiles if p.kind == "warehouse"]
    platforms = [p for p in profiles if "platform" in p.types] + warehouses
    return page_case(
        platforms=_as_options(platforms), sellers=_as_options(sellers),
        warehouses={str(profile.id) for profile in warehouses},
    )  # fmt: skip


def _as_options(profiles: list[CompanyProfile]) -> list[tuple[str, str]]:
    return [(str(p.id), f"{p.name}（{p.customs_code or '海外仓'}）") for p in profiles]


def values_of_strategy(strategy: Strategy) -> dict:
    return {
        "number": strategy.number, "name": strategy.name, "mode": strategy.mode, "platform": str(strategy.platform_id),
        "seller": str(strategy.seller_id), "currency": strategy.currency,
        "is_enabled": "yes" if strategy.is_enabled else "no",
    }  # fmt: skip


def save_strategy(form: StrategyForm, strategy: Strategy | None, principal: Principal) -> Strategy:
    """Raises `NumberTaken`."""
    values, now = form.values, clock.now()
    own = strategy and strategy.id
    if strategy_number_taken(principal.enterprise_id, principal.code, values["number"], own):
        raise NumberTaken(values["number"])
    if strategy is None:
        strategy = Strategy(
            enterprise_id=principal.enterprise_id, customs_code=principal.code, created_at=now,
            created_by=principal.name,
        )  # fmt: skip
        session.add(strategy)
    strategy.number, strategy.name, strategy.mode = values["number"], values["name"], values["mode"]
    strategy.platform_id, strategy.seller_id = UUID(values["platform"]), UUID(values["seller"])
    strategy.currency, strategy.is_enabled = values["currency"], values["is_enabled"] == "yes"
    strategy.changed_at, strategy.changed_by = now, principal.name
    session.flush()
    session.refresh(strategy)
    record("保存业务策略", f"strategy:{strategy.id}", principal)
    return strategy


def switch(strategy: Strategy, principal: Principal) -> None:
    """启用 ↔ 停用. What was declared under it stays as it is."""
    strategy.is_enabled = not strategy.is_enabled
    strategy.changed_at, strategy.changed_by = clock.now(), principal.name
    record("启用策略" if strategy.is_enabled else "停用策略", f"strategy:{strategy.id}", principal)

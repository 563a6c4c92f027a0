"""业务策略: what may be chosen from, how it is kept, and the head of a 清单 that it settles."""

from uuid import UUID

from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.common.history import record
from blueprints.common.plain_forms import PageCase, page_case
from models.accounts import lock_enterprise
from models.database import session
from models.exports import (
    CompanyProfile,
    Strategy,
    entrusted_codes,
    find_profile,
    has_tasks,
    profiles_of,
    strategy_number_taken,
)

from .modes import MODES
from .strategy_forms import OTHER, StrategyForm

LONGEST = 30  # characters of a 策略编号
COPY = "复制"
NO_CODE = "无"  # ebpCode of a 海外仓, which has none
# Fields of the form and the elements of InventoryHead (CEB603) that they fill as they stand.
ELEMENTS = {
    "customs_district": "customsCode", "exit_port": "portCode", "statistics": "statisticsFlag", "transport": "trafMode",
    "wrap": "wrapType", "country": "country", "destination": "POD", "yard": "loctNo", "owner_code": "ownerCode",
    "owner_name": "ownerName", "freight_currency": "fCurrency", "insurance_currency": "iCurrency",
    "logistics": "logistics", "logistics_code": "logisticsCode", "logistics_name": "logisticsName",
}  # fmt: skip


class ModeFixed(Exception):
    """Tasks were made under the strategy: what is declared of them later must find its head as it was."""


class NumberTaken(Exception):
    """Another strategy of this company and code has the number."""


def strategy_sheet(principal: Principal) -> PageCase:
    """电商平台 or 海外仓; 电商企业 that declare under the code in use, and clients that entrusted it to that code.

    `traders`: who of `sellers` is one; `senders`: 物流企业 under that code, which declare their waybills themselves.
    """
    profiles = profiles_of(principal.enterprise_id, enabled=True)
    clients = entrusted_codes(principal.enterprise_id, principal.code, clock.today())
    own = [p for p in profiles if "declarant" in p.types and p.customs_code == principal.code]
    entrusted = [p for p in profiles if "seller" in p.types and p.customs_code in clients]
    warehouses = [p for p in profiles if p.kind == "warehouse"]
    carriers = [p for p in profiles if "logistics" in p.types]
    sellers = [p for p in own if "seller" in p.types] + entrusted
    senders = [p for p in carriers if p.customs_code == principal.code and p.dxp_id]
    return page_case(
        platforms=_as_options([p for p in profiles if "platform" in p.types] + warehouses),
        sellers=_as_options(sellers + [p for p in senders if p not in sellers]),
        declarants=_as_options([p for p in own if p.dxp_id]), carriers=_as_options(carriers),
        traders=_ids(sellers), senders=_ids(senders), warehouses=_ids(warehouses), entrusted=_ids(entrusted),
    )  # fmt: skip


def _ids(profiles: list[CompanyProfile]) -> set[str]:
    return {str(p.id) for p in profiles}


def _as_options(profiles: list[CompanyProfile]) -> list[tuple[str, str]]:
    return [(str(p.id), f"{p.name}（{p.customs_code or '海外仓'}）") for p in profiles]


def suggested_strategy(sheet: PageCase) -> dict:
    """A new strategy begins as most end, with whatever there is only one of."""
    names = {"platform": "platforms", "seller": "sellers", "declarant": "declarants"}
    only = {name: sheet.choices[key][0][0] for name, key in names.items() if len(sheet.choices[key]) == 1}
    return {"is_enabled": "yes", "currency": "502", "mode": "9710-declaration"} | only


def values_of_strategy(strategy: Strategy) -> dict:
    head = {name: strategy.details.get(element, "") for name, element in ELEMENTS.items()}
    return head | {
        "number": strategy.number, "name": strategy.name, "mode": strategy.mode, "platform": str(strategy.platform_id),
        "seller": str(strategy.seller_id), "declarant": str(strategy.declarant_id or ""),
        "currency": strategy.currency, "is_enabled": "yes" if strategy.is_enabled else "no",
    }  # fmt: skip


def values_of_copy(strategy: Strategy) -> dict:
    """复制: the number and the name with that word behind them, and a count where it is taken already."""
    number, count = strategy.number[: LONGEST - len(COPY)] + COPY, 1
    while strategy_number_taken(strategy.enterprise_id, strategy.customs_code, number, None):
        count += 1
        tail = f"{COPY}{count}"
        number = strategy.number[: LONGEST - len(tail)] + tail
    return values_of_strategy(strategy) | {"number": number, "name": strategy.name[:48] + COPY}


def save_strategy(form: StrategyForm, strategy: Strategy | None, principal: Principal) -> Strategy:
    """Raises `NumberTaken`, `ModeFixed`."""
    values, now = form.values, clock.now()
    lock_enterprise(principal.enterprise_id)  # so that two people do not take one number at the same moment
    if strategy_number_taken(principal.enterprise_id, principal.code, values["number"], strategy and strategy.id):
        raise NumberTaken(values["number"])
    if strategy and strategy.mode != values["mode"] and has_tasks(strategy.id):
        raise ModeFixed(values["mode"])
    if strategy is None:
        strategy = Strategy(
            enterprise_id=principal.enterprise_id, customs_code=principal.code, created_at=now,
            created_by=principal.name,
        )  # fmt: skip
    strategy.number, strategy.name, strategy.mode = values["number"], values["name"], values["mode"]
    strategy.seller_id = UUID(values["seller"])
    strategy.platform_id = UUID(values["platform"]) if "platform" in values else strategy.seller_id
    strategy.declarant_id = UUID(values["declarant"]) if values.get("declarant") else None
    strategy.currency, strategy.is_enabled = values["currency"], values["is_enabled"] == "yes"
    strategy.details = {ELEMENTS[name]: value for name, value in values.items() if name in ELEMENTS and value}
    strategy.changed_at, strategy.changed_by = now, principal.name
    session.add(strategy)
    session.flush()
    session.refresh(strategy)
    record("保存业务策略", f"strategy:{strategy.id}", principal)
    return strategy


def switch(strategy: Strategy, principal: Principal) -> None:
    """启用 ↔ 停用. What was declared under it stays as it is."""
    strategy.is_enabled = not strategy.is_enabled
    strategy.changed_at, strategy.changed_by = clock.now(), principal.name
    record("启用策略" if strategy.is_enabled else "停用策略", f"strategy:{strategy.id}", principal)


def inventory_head(strategy: Strategy) -> dict[str, str]:
    """The elements of InventoryHead (CEB603) that a strategy of a 清单 mode settles; the rest is each document's own.

    Codes and names of companies are those of their 企业资料 today. fFlag and iFlag 3: freight and insurance as totals.
    """
    platform, seller, agent = strategy.platform, strategy.seller, strategy.sender
    head = {element: value for element, value in strategy.details.items() if element != "logistics"}
    if (carrier := strategy.details["logistics"]) != OTHER:
        profile = find_profile(strategy.enterprise_id, UUID(carrier))
        head |= {"logisticsCode": profile.customs_code, "logisticsName": profile.name}
    owner = {"ownerCode": seller.customs_code, "ownerName": seller.name}
    return owner | head | {
        "ebpCode": platform.customs_code or NO_CODE, "ebpName": platform.name,
        "agentCode": agent.customs_code, "agentName": agent.name,
        "ebcCode": seller.customs_code, "ebcName": seller.name,
        "ieFlag": "E", "tradeMode": MODES[strategy.mode].code, "fFlag": "3", "iFlag": "3",
    }  # fmt: skip

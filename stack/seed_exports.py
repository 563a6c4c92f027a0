"""What ①, ③ and ⑤ have in 出口申报: 企业资料, a 海外仓, strategies of 报关单模式; ① one of 清单模式, whose 运单 ⑤ declares."""

from datetime import timedelta

from blueprints.common import clock
from models.accounts import find_user
from models.database import session
from models.exports import CompanyProfile, Strategy
from models.transmission import transmission_ids_of

STRATEGIES = (("9710-1", "9710美金", "9710-declaration", "502"), ("9710-2", "9710人民币", "9710-declaration", "142"),
              ("9810-1", "9810出口报关单模式", "9810-declaration", "502"))  # fmt: skip
LIST = ("9610-1", "9610清单", "9610-list", "502")
OF_CARRIER = (("YD-1", "物流运单", "waybill", "502"),)
OF_SELLER = (("9810-1", "9810美金", "9810-declaration", "502"), ("9810-2", "9810旧仓", "9810-declaration", "502"))


def add_export_settings(
    user_name: str = "demo01", types=("declarant", "platform", "seller"), strategies=(*STRATEGIES, LIST)
) -> None:
    user = find_user(user_name)
    company, since = user.enterprise, clock.now() - timedelta(days=20)
    dxp_id = transmission_ids_of(company.id)[0].value
    common = {"enterprise_id": company.id, "created_at": since, "created_by": user.shown_name}
    own = CompanyProfile(**common, name=company.name, customs_code=company.active_code, dxp_id=dxp_id,
                         types=list(types), is_enabled=True)  # fmt: skip
    warehouse = CompanyProfile(**common, kind="warehouse", name="汉堡海外仓", address="Hafenstrasse 1, Hamburg",
                               types=["warehouse"], is_enabled=True)  # fmt: skip
    session.add_all([own, warehouse])
    session.flush()
    for number, name, mode, currency in strategies:
        platform = warehouse if mode.startswith("9810") else own
        session.add(
            Strategy(
                **common,
                customs_code=company.active_code,
                number=number,
                name=name,
                mode=mode,
                currency=currency,
                platform_id=platform.id,
                seller_id=own.id,
                details=list_head() if mode == LIST[2] else {},
                changed_at=since,
                changed_by=user.shown_name,
            )
        )
    session.flush()


def list_head() -> dict:
    """What all 清单 of the strategy share: by air from 石家庄 to the USA, carried by ⑤."""
    carrier = find_user("demo05").enterprise
    return {
        "customsCode": "0401", "portCode": "0401", "statisticsFlag": "A", "trafMode": "5", "wrapType": "2", "country": "502",
        "POD": "3154", "fCurrency": "502", "iCurrency": "502", "logistics": "other", "logisticsCode": carrier.active_code,
        "logisticsName": carrier.name,
    }  # fmt: skip

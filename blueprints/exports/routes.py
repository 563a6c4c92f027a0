"""The blueprint of this area, with all of its views: 系统参数维护, 基础数据导入, 数据申报管理."""

from . import (  # noqa: F401  (their decorators add the views)
    clients,
    diagnosis_routes,
    document_routes,
    order_routes,
    sending_routes,
    settings_routes,
    strategy_routes,
    task_routes,
)
from .base import bp

__all__ = ["bp"]

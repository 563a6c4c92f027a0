"""The blueprint of this area, with all of its views: 系统参数维护, 基础数据导入, 数据申报管理."""

from . import clients, order_routes, settings_routes, strategy_routes, task_routes  # noqa: F401  (their views)
from .base import bp

__all__ = ["bp"]

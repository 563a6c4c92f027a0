"""The blueprint of this area, with all of its views: 系统参数维护, 基础数据导入, 数据申报管理."""

from . import document_routes, order_routes, settings_routes, task_routes  # noqa: F401  (their decorators add the views)
from .base import bp

__all__ = ["bp"]

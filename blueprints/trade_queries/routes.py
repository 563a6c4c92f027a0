"""Pages 8101–8199."""

from flask import Blueprint

bp = Blueprint("trade_queries", __name__, url_prefix="/trade_queries")

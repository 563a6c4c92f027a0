"""Pages 8005, 8006, 8009: 业务策略维护."""

from flask import flash, redirect, url_for

from blueprints.common import access
from blueprints.common.access import get_or_404, page
from blueprints.common.fields import Problem
from blueprints.common.numbers import Sentence
from blueprints.common.plain_forms import summary_of, typed_fields
from models.database import session
from models.exports import find_strategy, strategies_of

from . import strategies
from .base import EDIT_NEEDS, NEEDS, Search, bp, region, show_here
from .modes import MODES
from .strategy_forms import StrategyForm

SCOPES = {"number": "策略编号", "name": "策略名称", "changed_by": "修改人", "created_by": "创建人"}
SWITCH = {"enabled": "启用（启动）", "disabled": "停用"}  # the manual says 启动 above the list and 启用 in it (M190)


@bp.get("/strategies")
@page("8005", "业务策略维护", NEEDS)
def list_strategies():
    principal, search = access.current(), Search.from_request(SCOPES, SWITCH)
    rows = strategies_of(
        principal.enterprise_id, principal.code, search.scope, search.text,
        enabled=None if not search.state else search.state == "enabled", since=search.from_moment,
        until=search.to_moment,
    )  # fmt: skip
    return show_here("strategies.html", rows=rows, search=search, scopes=SCOPES, states=SWITCH, modes=MODES)


def get_strategy_or_404(id):
    principal = access.current()
    return get_or_404(find_strategy(principal.enterprise_id, principal.code, id))


@bp.get("/strategies/new")
@page("8006", "创建策略", EDIT_NEEDS)
def start_strategy():
    sheet = strategies.strategy_sheet(access.current())
    return show_strategy_form(StrategyForm(sheet, "strategy", suggested=strategies.suggested_strategy(sheet)), None)


@bp.get("/strategies/<uuid:id>/copy")
@page("8009", "复制策略", EDIT_NEEDS)
def copy_strategy(id):
    """A new strategy with everything of this one; it is kept when it is saved."""
    copied, sheet = get_strategy_or_404(id), strategies.strategy_sheet(access.current())
    return show_strategy_form(
        StrategyForm(sheet, "strategy", suggested=strategies.values_of_copy(copied)), None, copied=copied
    )


@bp.post("/strategies/new")
@page("8006", "创建策略", EDIT_NEEDS)
def add_strategy():
    return save_strategy_form(None)


@bp.get("/strategies/<uuid:id>")
@page("8006", "修改策略", NEEDS)
def edit_strategy(id):
    strategy = get_strategy_or_404(id)
    sheet = strategies.strategy_sheet(access.current())
    return show_strategy_form(
        StrategyForm(sheet, "strategy", suggested=strategies.values_of_strategy(strategy)), strategy
    )


@bp.post("/strategies/<uuid:id>")
@page("8006", "修改策略", EDIT_NEEDS)
def change_strategy(id):
    return save_strategy_form(get_strategy_or_404(id))


def save_strategy_form(strategy):
    typed = typed_fields()
    form = StrategyForm(strategies.strategy_sheet(access.current()), "strategy", typed)
    if lacks_head(form, typed):
        return show_strategy_form(form, strategy, asks_head=True)
    if problems := form.check():
        return show_strategy_form(form, strategy, problems)
    try:
        strategies.save_strategy(form, strategy, access.current())
    except strategies.NumberTaken:
        taken = Sentence("90666", "策略编号「{number}」已经用过，请换一个", number=form.values["number"])
        return show_refused(form, strategy, form.number, taken)
    except strategies.ModeFixed:
        fixed = Sentence("90825", "这个策略下已经有申报任务，贸易方式不能改了；要用别的，请点「复制」另建一个")
        return show_refused(form, strategy, form.mode, fixed)
    session.commit()
    flash("业务策略已保存。")
    return redirect(url_for("exports.list_strategies"), 303)


def show_refused(form, strategy, field, sentence: Sentence):
    field.errors = [sentence]
    return show_strategy_form(form, strategy, [Problem(form.path(field), sentence.number, sentence)])


def lacks_head(form, typed) -> bool:
    """A 清单 mode was chosen on a page that did not show what it asks for: no mistake yet."""
    return form.is_for_lists and not set(form.head_names) & typed.keys()


def show_strategy_form(form, strategy, problems=(), *, copied=None, asks_head=False):
    action = url_for("exports.change_strategy", id=strategy.id) if strategy else url_for("exports.add_strategy")
    choices = form.case.choices
    return show_here(
        "strategy.html", form=form, strategy=strategy, problems=summary_of(problems), action=action, copied=copied,
        asks_head=asks_head,
        notices=region()["exports"], lacks_profiles=not (choices["senders"] or (choices["platforms"] and choices["sellers"])),
    )  # fmt: skip


@bp.post("/strategies/<uuid:id>/switch")
@page(None, "启用或停用策略", EDIT_NEEDS)
def switch_strategy(id):
    strategy = get_strategy_or_404(id)
    strategies.switch(strategy, access.current())
    session.commit()
    flash(f"策略「{strategy.name}」已{'启用' if strategy.is_enabled else '停用'}。")
    return redirect(url_for("exports.list_strategies"), 303)

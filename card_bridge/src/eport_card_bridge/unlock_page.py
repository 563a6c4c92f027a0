"""Page 9608, 用解锁码解锁: the user gives a blocked card a new PIN, with the code that came from the card centre."""

from html import escape

from aiohttp import web

from .bridge import Bridge
from .guard import PAGES, html, redirect, text
from .outcomes import UNLOCK_ENDS, Outcome, Stop
from .pages import DONE, UNLOCK_PATH, Pages, buttons, choice, form, listing, phrase_box, pin_field, warning, whole_card
from .pin_change import TypedCode
from .readers import CardInReader

UNLOCK = "9608"
TITLE = "用解锁码解锁"
FIELDS = ("card", "code", "new_pin", "new_pin_again")


def add_unlock_page(app: web.Application, bridge: Bridge) -> None:
    async def show(http: web.Request) -> web.Response:
        """GET /unlock; with ?seen=<used token> what came of it. Nothing is taken from an address."""
        if set(http.query) - {"seen"}:
            raise Stop(Outcome.FORM)
        pages = app[PAGES]
        stop = await bridge.unlocks.outcome(http.query.get("seen", ""))
        if stop and stop.outcome in UNLOCK_ENDS:
            return html(end_page(pages, stop))
        cards, trouble = await bridge.look_at_cards()
        said = {found.outcome: found for found in (stop, trouble) if found}
        body = unlock_body(bridge.tokens.new("unlock"), cards, list(said.values()))
        return html(pages.page(UNLOCK, TITLE, phrase_box(bridge.store.phrase) + body if cards else body))

    async def unlock(http: web.Request) -> web.Response:
        """Starts it and leaves the POST behind, so that no reload can send the code again."""
        fields = await http.post()
        token = text(fields, "token")
        if not bridge.unlocks.is_same_click(token):
            bridge.tokens.use(token, "unlock")
            bridge.start_unlock(
                token, TypedCode(fields.get("answer") == "yes", *(text(fields, name) for name in FIELDS))
            )
        return redirect(f"{UNLOCK_PATH}?seen={token}")

    app.router.add_get(UNLOCK_PATH, show, allow_head=False)
    app.router.add_post(UNLOCK_PATH, unlock)


def unlock_body(token: str, cards: list[CardInReader], said: list[Stop]) -> str:
    """Without a card it asks for no code: the user must see first whose card it is."""
    notices = "".join(warning(stop, identity) for stop, identity in zip(said, ("notice", "trouble"), strict=False))
    if not cards:
        return notices + f'<p>卡插好以后，<a href="{UNLOCK_PATH}">再看一次</a>。</p>'
    fields = (
        choice(cards, None)
        + pin_field(False, "code", "解锁码", "制卡中心给这张卡的8位数字。只送进卡里，不上网，也不保存。")
        + pin_field(False, "new_pin", "新密码", "6到8位数字。不要用生日、电话，也不要用出厂的88888888。")
        + pin_field(False, "new_pin_again", "再输一次新密码", "两次要一样。")
        + buttons("确认，解锁", "取消")
    )
    shown = listing(whole_card(cards[0])) if len(cards) == 1 else ""
    return shown + notices + form(UNLOCK_PATH, {"token": token}, fields) + '<p class="hint">解锁的时候不要拔卡。</p>'


def end_page(pages: Pages, stop: Stop) -> str:
    """9604 like every other end."""
    if stop.outcome is Outcome.PIN_CHANGED_TO_KNOWN:
        return pages.pin_changed(stop)
    if stop.outcome is Outcome.UNLOCKED:
        return pages.page(DONE, "卡解锁了", f'<p id="outcome">{escape(stop.sentence)}</p>')
    return pages.page(DONE, "没有解锁", warning(stop, "outcome"))

"""Routes of the bridge on 127.0.0.1: entry, consent, PIN, PIN change, settings, start list."""

import time
from collections.abc import AsyncIterator

from aiohttp import web

from .bridge import Bridge, Options
from .check_page import add_check_page
from .client_control.server import serve
from .guard import MAY_ASK, OWN_ORIGIN, PAGES, guard, html, redirect, text
from .origins import BadOrigin, parse_origin
from .outcomes import PIN_CHANGE_ENDS, Outcome, Stop
from .pages import Pages
from .pin_change import PIN_FORMAT, TypedPins
from .requests import Request
from .statement import REQUEST_ID
from .unlock_page import add_unlock_page

BRIDGE: web.AppKey[Bridge] = web.AppKey("bridge", Bridge)


def create_app(options: Options) -> web.Application:
    app = web.Application(middlewares=[guard], client_max_size=16384)
    app[BRIDGE], app[PAGES] = Bridge(options), Pages(options.hotline)
    app[OWN_ORIGIN] = f"http://127.0.0.1:{options.port}"
    app[MAY_ASK] = app[BRIDGE].store.is_consented
    app.router.add_get("/", show_start, allow_head=False)
    app.router.add_get("/requests/{id}", show_request, allow_head=False)
    app.router.add_post("/requests/{id}/consent", answer_consent)
    app.router.add_post("/requests/{id}/pin", answer_pin)
    app.router.add_post("/requests/{id}/stop", stop_signing)
    app.router.add_get("/pin", show_pin_change, allow_head=False)
    app.router.add_post("/pin", change_pin)
    app.router.add_get("/settings", show_settings, allow_head=False)
    app.router.add_post("/settings", save_settings)
    add_check_page(app, app[BRIDGE])
    add_unlock_page(app, app[BRIDGE])
    app.on_cleanup.append(close)
    if options.client_control:
        app.cleanup_ctx.append(run_client_control)
    return app


async def run_client_control(app: web.Application) -> AsyncIterator[None]:
    bridge = app[BRIDGE]
    async with serve(bridge, bridge.options.client_control):
        yield


async def close(app: web.Application) -> None:
    await app[BRIDGE].close()


async def show_start(http: web.Request) -> web.Response:
    """Lists requests that can go on, so that a batch is found again after the page was closed."""
    open_requests = [r for r in http.app[BRIDGE].requests.values() if r.stage not in ("done", "failed")]
    return html(http.app[PAGES].start(open_requests))


async def show_request(http: web.Request) -> web.Response:
    """GET /requests/<id>?portal=<origin>. Connects to nothing before consent."""
    bridge, pages = http.app[BRIDGE], http.app[PAGES]
    origin, request_id = read_names(bridge, http.match_info["id"], http.query.getall("portal", []))
    if not bridge.store.is_consented(origin):
        token = bridge.tokens.new("consent", origin, request_id)
        return html(pages.consent(origin, request_id, token, bool(bridge.store.phrase)))
    return await show(bridge, pages, await bridge.get_request(origin, request_id))


def read_names(bridge: Bridge, request_id: str, origins: list[str]) -> tuple[str, str]:
    if not REQUEST_ID.match(request_id) or len(origins) != 1:
        raise Stop(Outcome.EXPIRED)
    try:
        return parse_origin(origins[0], bridge.options.allow_http_loopback), request_id
    except BadOrigin as error:
        raise Stop(Outcome.ORIGIN) from error


async def show(bridge: Bridge, pages: Pages, request: Request) -> web.Response:
    if request.stage == "reading":
        return html(pages.reading(request), request.origin)
    if request.stage == "signing":
        token = bridge.tokens.new("stop", request.origin, request.request_id)
        return html(pages.progress(request, token), request.origin)
    if request.stage in ("done", "failed"):
        return html(pages.done(request.stop, request.origin), request.origin)
    cards, trouble = await bridge.look_at_cards()
    request.card = cards[0] if len(cards) == 1 else None
    token = bridge.tokens.new("pin", request.origin, request.request_id)
    return html(pages.pin(request, token, bridge.store.phrase, cards, trouble), request.origin)


async def answer_consent(http: web.Request) -> web.Response:
    bridge, form = http.app[BRIDGE], await http.post()
    origin, request_id = read_names(bridge, http.match_info["id"], [text(form, "portal")])
    bridge.tokens.use(text(form, "token"), "consent", origin, request_id)
    if form.get("answer") != "yes":
        raise Stop(Outcome.REFUSED)
    bridge.store.consent(origin)
    if text(form, "phrase").strip():
        bridge.store.save_phrase(text(form, "phrase"))
    return redirect(f"/requests/{request_id}?portal={origin}")


async def answer_pin(http: web.Request) -> web.Response:
    """Takes the PIN, starts the card work and sends the browser back to the portal as soon as M is in quarantine."""
    bridge, form = http.app[BRIDGE], await http.post()
    origin, request_id = read_names(bridge, http.match_info["id"], [text(form, "portal")])
    bridge.tokens.use(text(form, "token"), "pin", origin, request_id)
    request = bridge.requests.get((origin, request_id))
    if request is None:
        raise Stop(Outcome.EXPIRED)
    if request.stage not in ("pin", "stopped"):
        return redirect(request.here)
    if form.get("answer") != "yes":
        await bridge.end(request, Stop(Outcome.REFUSED), "pin")
    elif time.monotonic() > (request.ends if request.code_sent else request.deadline):
        await bridge.end(request, Stop(Outcome.EXPIRED), "pin")
    elif PIN_FORMAT.match(text(form, "pin")):
        return redirect(await bridge.sign(request, text(form, "pin"), text(form, "card")) or request.here)
    else:
        request.stop = Stop(Outcome.PIN_FORMAT)
    return redirect(request.here)


async def stop_signing(http: web.Request) -> web.Response:
    """停下: signing ends before the next message; what is signed is kept and the rest goes on with the PIN."""
    bridge, form = http.app[BRIDGE], await http.post()
    origin, request_id = read_names(bridge, http.match_info["id"], [text(form, "portal")])
    bridge.tokens.use(text(form, "token"), "stop", origin, request_id)
    request = bridge.requests.get((origin, request_id))
    if request is None:
        raise Stop(Outcome.EXPIRED)
    await bridge.pause(request)
    return redirect(request.here)


async def show_pin_change(http: web.Request) -> web.Response:
    """GET /pin; with ?seen=<used token> what came of that change. Nothing is taken from an address, least of all a PIN."""
    bridge, pages = http.app[BRIDGE], http.app[PAGES]
    if set(http.query) - {"seen"}:
        raise Stop(Outcome.FORM)
    stop = await bridge.pin_changes.outcome(http.query.get("seen", ""))
    if stop and stop.outcome in PIN_CHANGE_ENDS:
        return html(pages.pin_changed(stop))
    cards, trouble = await bridge.look_at_cards()
    said = {found.outcome: found for found in (stop, trouble) if found}
    token = bridge.tokens.new("change-pin")
    return html(pages.pin_change(token, bridge.store.phrase, cards, list(said.values())))


async def change_pin(http: web.Request) -> web.Response:
    """Starts the change and leaves the POST behind, so that no reload can send the PINs again."""
    bridge, form = http.app[BRIDGE], await http.post()
    token = text(form, "token")
    if not bridge.pin_changes.is_same_click(token):
        bridge.tokens.use(token, "change-pin")
        names = ("card", "pin", "new_pin", "new_pin_again")
        bridge.start_pin_change(token, TypedPins(form.get("answer") == "yes", *(text(form, name) for name in names)))
    return redirect(f"/pin?seen={token}")


async def show_settings(http: web.Request) -> web.Response:
    return settings_page(http, "")


def settings_page(http: web.Request, said: str) -> web.Response:
    bridge = http.app[BRIDGE]
    store = bridge.store
    origins = (store.consented, store.typed_signing_origins)
    return html(http.app[PAGES].settings(bridge.tokens.new("settings"), store.phrase, origins, said))


async def save_settings(http: web.Request) -> web.Response:
    """Origins are kept only if all are spelled right; the phrase is kept in any case."""
    bridge, form = http.app[BRIDGE], await http.post()
    bridge.tokens.use(text(form, "token"), "settings")
    bridge.store.save_phrase(text(form, "phrase"))
    try:
        consented, signing = (
            [parse_origin(line, bridge.options.allow_http_loopback) for line in text(form, name).split()]
            for name in ("consented", "signing")
        )
    except BadOrigin:
        return settings_page(http, "网址没有保存。请一行写一个，照抄浏览器里的网址，后面不要带斜杠。")
    bridge.store.save_origins(consented, signing)
    return settings_page(http, "已经保存。")

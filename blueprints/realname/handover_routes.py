"""Page 5018: the clerk hands step 2 over. Pages 5020–5023: the 法定代表人 proves himself, without account or login."""

import secrets

from flask import abort, current_app, request, url_for
from flask import session as cookie_session

from blueprints.common import clock
from blueprints.common.access import PUBLIC, bind, page
from blueprints.common.checks import mobile_shape
from blueprints.common.fields import DocumentForm, Problem, Text
from blueprints.common.numbers import Sentence
from blueprints.common.pages import go, show
from blueprints.common.plain_forms import page_form
from blueprints.common.proofs import TooManyMessages, can_sms
from models.accounts import Enterprise, User
from models.database import session
from models.realname import VerificationCase

from .cases import BANK_REFUSED, PAPER_REFUSED, PERSON, PHONE, WAYS, NotProven, case_of, count_try, pass_person, ways_of
from .handover import find_handover, give_out, handed_over, is_his, refuse, tell_clerk, witnesses
from .person_forms import bank_form, paper_form, typed_fields
from .representative_routes import TAB, go_on, lines, own, show_here
from .routes import ADMINISTRATOR, bp
from .steps import form_of, prove, save_typed, send_code

NUMBERS = {"id-card": "5021", "bank-card": "5023"}
TITLE = "法定代表人核验身份"


class HandOverForm(DocumentForm):
    mobile = Text("法定代表人的手机号", mobile_shape, number="501801", limit=20, code=True, required=False,
                  hint="填了就把链接用短信发给他；不填，就把核验码告诉他", attributes={"inputmode": "tel"})  # fmt: skip


@bp.get("/representative/hand-over")
@page("5018", "请法定代表人在手机上办", ADMINISTRATOR, TAB)
def show_hand_over():
    user, _ = own()
    case = handed_or_none(user)
    return render_hand_over(case, page_form(HandOverForm, "hand-over")) if case else go_on(user)


def handed_or_none(user: User) -> VerificationCase | None:
    case = case_of(user)
    return case if case and case.company_at and not case.person_at else None


def render_hand_over(case, form, problems=(), code: str = ""):
    return show_here("hand_over.html", case, PERSON, form=form, problems=lines(form, problems), code=code,
                     sms=can_sms(), address=url_of_entry())  # fmt: skip


def url_of_entry() -> str:
    return current_app.config["SETTINGS"].public_origin + url_for("realname.ask_code")


@bp.post("/representative/hand-over")
@page("5018", "请法定代表人在手机上办", ADMINISTRATOR, TAB)
def hand_over():
    """The code is in this one answer; only its keyed hash is kept."""
    user, _ = own()
    case = handed_or_none(user)
    if case is None:
        return go_on(user)
    form = page_form(HandOverForm, "hand-over", posted=True)
    if problems := form.check():
        return render_hand_over(case, form, problems)
    try:
        code = give_out(case, user, form.mobile.value if can_sms() else "", link_of, request.remote_addr or "")
    except TooManyMessages as refused:
        session.rollback()
        return render_hand_over(case, form, [Problem("hand-over/mobile", refused.sentence.number, refused.sentence)])
    session.commit()
    return render_hand_over(case, form, code=code)


def link_of(code: str) -> str:
    return current_app.config["SETTINGS"].public_origin + url_for("realname.follow_link", code=code)


# -- on the telephone of the 法定代表人


@bp.get("/phone")
@page("5020", "输入核验码", PUBLIC)
def ask_code():
    return show("realname/ask_code.html", error=None, typed="")


@bp.post("/phone")
@page("5020", "输入核验码", PUBLIC)
def use_code():
    return follow(request.form.get("code", ""))


@bp.get("/phone/<code>")
@page("5020", "输入核验码", PUBLIC)
def follow_link(code):
    """From the SMS. Opening it changes nothing; the code leaves the address line at once."""
    return follow(code)


def follow(code: str):
    try:
        case = find_handover(code, request.remote_addr or "")
    except NotProven as refused:
        return show("realname/ask_code.html", error=refused.sentence, typed=code)
    cookie_session["handover"] = case.handover_hash.hex()
    return go_to_ways(case)


def go_to_ways(case: VerificationCase):
    return go(f"realname.show_phone_{ways_of(case.data[PERSON])[0].replace('-', '_')}")


def held_case(*, lock: bool = False) -> VerificationCase | None:
    held = cookie_session.get("handover", "")
    return handed_over(bytes.fromhex(held), lock=lock) if held else None


def step_here() -> str:
    """What is typed belongs to this browser: the clerk knows the code too."""
    return PHONE + cookie_session.setdefault("handover-typist", secrets.token_urlsafe(16))


def show_phone(way: str):
    case = held_case()
    if case is None or way not in ways_of(case.data[PERSON]):
        return go_to_ways(case) if case else go("realname.ask_code")
    if case.handover_opened_at is None:
        case = held_case(lock=True)
        case.handover_opened_at = clock.now()
        session.commit()
    return render_phone(case, way, phone_form(case, way))


FORMS = {"id-card": paper_form("5021", "", typed_fields, phone=True), "bank-card": bank_form("5023", "", typed_fields)}
WITHOUT_SMS = paper_form("5021", "", typed_fields)


def phone_form(case: VerificationCase, way: str, posted: bool = False) -> DocumentForm:
    form = WITHOUT_SMS if way == "id-card" and not can_sms() else FORMS[way]
    return form_of(form, case, step_here(), {}, posted=posted)


def render_phone(case: VerificationCase, way: str, form, problems=(), dialog: NotProven | None = None, sent: str = ""):
    user = session.get(User, case.user_id)
    ways = [(each, WAYS[each], url_for(f"realname.show_phone_{each.replace('-', '_')}"))
            for each in ways_of(case.data[PERSON])]  # fmt: skip
    return show("realname/phone.html", number=NUMBERS[way], case=case, form=form, way=way, ways=ways, sent=sent, dialog=dialog,
                company=session.get(Enterprise, case.enterprise_id), clerk=user.shown_name,
                problems=lines(form, problems))  # fmt: skip


def save_phone(way: str):
    case = held_case()
    if case is None or way not in ways_of(case.data[PERSON]):
        return go_to_ways(case) if case else go("realname.ask_code")
    if request.form.get("case") != str(case.id):
        return render_phone(case, way, phone_form(case, way), dialog=other_company(case))
    if request.form.get("go") == "refuse":
        return say_no()
    form, user = phone_form(case, way, posted=True), session.get(User, case.user_id)
    save_typed(case, step_here(), form)
    if request.form.get("go") == "code":
        problems = send_code(case, step_here(), form, user)
        return render_phone(case, way, form, problems, sent="" if problems else form.phone.value)
    if problems := form.check():
        return render_phone(case, way, form, problems)
    try:
        evidence = prove_him(case, way, user, form)
    except NotProven as refused:
        session.commit()
        return render_phone(case, way, form, dialog=refused)
    case = held_case(lock=True)
    if case is None:
        return go("realname.ask_code")
    phone = form.values.get("phone", "")
    pass_person(case, evidence | witnesses(case, user, phone, request.remote_addr or ""))
    tell_clerk(case, "法定代表人核验好了", "法定代表人已经在手机上核验好身份，请接着办第3步。")
    session.commit()
    return go("realname.show_phone_done")


def other_company(case: VerificationCase) -> NotProven:
    """He read another page than the one that his yes or no would count for: two links in one browser."""
    name = session.get(Enterprise, case.enterprise_id).name
    return NotProven(Sentence("90923", "这个浏览器后来打开了另一家单位的链接，刚才点的没有算数。现在这一页是“{company}”的，"
                              "请看清楚再填", company=name))  # fmt: skip


def prove_him(case: VerificationCase, way: str, user: User, form: DocumentForm) -> dict:
    """Somebody else's data are refused in the same words as data that the authority refuses, and count as one try."""
    typed = {name: form.values[name] for name in ("name", "id_type", "id_number")}
    if not is_his(case, typed):
        count_try(user, case.data[PERSON]["id_number"])
        session.commit()
        raise NotProven(*((PAPER_REFUSED, "paper") if way == "id-card" else (BANK_REFUSED, "")))
    return prove(case, step_here(), user, way, typed, form)


def say_no():
    case = held_case(lock=True) or abort(409)
    refuse(case)
    session.commit()
    cookie_session.pop("handover", None)
    return go("realname.show_phone_done", no=1)


def add_phone_pages() -> None:
    for way, number in NUMBERS.items():
        for view, method in ((show_phone, "GET"), (save_phone, "POST")):
            bound = page(number, f"{TITLE}：{WAYS[way]}", PUBLIC)(bind(view, way))
            endpoint = f"{view.__name__}_{way.replace('-', '_')}"
            bp.add_url_rule(f"/phone/by/{way}", endpoint, bound, methods=[method])


add_phone_pages()


@bp.get("/phone/done")
@page("5022", "核验完了", PUBLIC)
def show_phone_done():
    return show("realname/phone_done.html", refused="no" in request.args)

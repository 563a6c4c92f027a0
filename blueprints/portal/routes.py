"""Pages 1001–1099: what anybody may read, the member's home, uploaded files, and switches of the frame."""

from flask import Blueprint, Response, abort, current_app, redirect, request, stream_with_context, url_for
from flask import session as cookie_session
from sqlalchemy import text

from blueprints.common import access, tabs
from blueprints.common.access import PUBLIC, Needs, get_or_404, page
from blueprints.common.content import find_article, list_articles
from blueprints.common.files import read_chunks, read_file
from blueprints.common.pages import safe_next, show
from blueprints.common.previews import PICTURES, NoPreview, preview_of
from blueprints.common.records import is_draft
from blueprints.common.wizard_base import may_open, office
from models.database import session
from models.documents import documents_of, find_document
from models.files import find_file

from .services import find_functions, five_steps, tiles, workspace_menu

bp = Blueprint("portal", __name__)
FRAME = {"language": ("zh", "en"), "size": ("normal", "large"), "colours": ("normal", "contrast")}
TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "bmp": "image/bmp"}


def region():
    return current_app.config["REGION"]


@bp.get("/")
@page("1001", "首页", PUBLIC)
def show_home():
    notices = list_articles(region(), "announcements")[:8]
    guides = list_articles(region(), "guides")[:8]
    return show("portal/home.html", tiles=tiles(region(), access.current()), notices=notices, guides=guides)


@bp.get("/member")
@page("1002", "会员首页", Needs())
def show_workspace():
    principal = access.current()
    if principal.is_staff:
        return redirect(url_for("reviews.show_queue"), 303)
    documents = documents_of(principal.enterprise_id, principal.code)
    rows = [(document, office().kinds[document.kind], office().status(document)) for document in documents]
    waiting = [row for row in rows if is_draft(row[0])]
    items = [item for area in current_app.config["AREAS"] if area.open_items for item in area.open_items(principal)]
    return show(
        "portal/workspace.html", menu=workspace_menu(current_app.config["AREAS"], principal), rows=rows, items=items,
        waiting=waiting, steps=five_steps(principal), notices=list_articles(region(), "announcements")[:4],
    )  # fmt: skip


@bp.post("/member/tabs/<number>/close")
@page(None, "关闭页面", Needs())
def close_tab(number):
    """`all` closes every one. What was typed on a page is kept by its own autosave, never by its tab."""
    tabs.close(number)
    return redirect(safe_next(request.form.get("next")) or url_for("portal.show_workspace"), 303)


@bp.get("/regions")
@page("1003", "切换地区", PUBLIC)
def show_regions():
    return show("portal/regions.html")


@bp.get("/before-you-start")
@page("1004", "使用前准备", PUBLIC)
def show_preparation():
    return show_article(find_article(region(), "before-you-start"))


@bp.get("/announcements")
@page("1005", "资讯中心", PUBLIC)
def list_announcements():
    return show(
        "portal/articles.html",
        title="资讯中心",
        articles=list_articles(region(), "announcements"),
        folder="announcements",
    )


@bp.get("/announcements/<slug>")
@page("1006", "公告", PUBLIC)
def show_announcement(slug):
    return show_article(find_article(region(), f"announcements/{slug}"))


@bp.get("/guides")
@page("1007", "业务指南", PUBLIC)
def list_guides():
    return show("portal/articles.html", title="业务指南", articles=list_articles(region(), "guides"), folder="guides")


@bp.get("/guides/<slug>")
@page("1008", "指南", PUBLIC)
def show_guide(slug):
    return show_article(find_article(region(), f"guides/{slug}"))


@bp.get("/faq")
@page("1009", "常见问题", PUBLIC)
def show_faq():
    return show("portal/faq.html", articles=list_articles(region(), "faq"))


@bp.get("/terms")
@page("1010", "服务条款", PUBLIC)
def show_terms():
    return show("portal/terms.html", articles=[find_article(region(), f"terms/{name}") for name in
                                               ("service-terms", "disclaimer", "privacy")])  # fmt: skip


@bp.get("/help")
@page("1011", "客服中心", PUBLIC)
def show_help():
    return show("portal/help.html", articles=list_articles(region(), "guides"))


@bp.get("/about/<slug>")
@page("1012", "平台介绍", PUBLIC)
def show_about(slug):
    return show_article(find_article(region(), slug))


@bp.get("/promotions")
@page("1013", "推广", PUBLIC)
def show_promotions():
    return show("portal/promotions.html")


@bp.get("/downloads")
@page("1014", "下载", PUBLIC)
def show_downloads():
    return show_article(find_article(region(), "downloads"))


@bp.get("/why")
@page("1015", "为什么我看不到？", PUBLIC)
def show_why():
    """Of the menu, or with `q` of every function of the house: what it needs, what is missing, how to mend it."""
    principal, asked = access.current(), request.args.get("q", "").strip()[:60]
    return show("portal/why.html", menu=workspace_menu(current_app.config["AREAS"], principal), asked=asked,
                found=find_functions(current_app, principal, asked) if asked else None)  # fmt: skip


def show_article(article):
    return show("portal/article.html", article=get_or_404(article))


@bp.get("/frame/<name>/<value>")
@page(None, "显示方式", PUBLIC)
def switch_frame(name, value):
    """Language, text size, colours; changes nothing but this browser's view."""
    if value not in FRAME.get(name, ()):
        abort(404)
    cookie_session[name] = value
    return redirect(safe_next(request.args.get("next")) or "/", 303)


@bp.get("/health")
@page(None, "是否正常", PUBLIC)
def show_health():
    """For a load balancer: 200 when the database answers."""
    session.execute(text("SELECT 1"))
    return Response("ok", mimetype="text/plain")


@bp.get("/files/<uuid:file_id>")
@page(None, "文件", PUBLIC)
def show_file(file_id):
    """An uploaded file, to those who may see its document. Images inline, all else as a download."""
    file = get_or_404(find_file(file_id))
    document = file.document_id and find_document(file.document_id)
    principal = access.current()
    is_own = file.enterprise_id and principal and principal.enterprise_id == file.enterprise_id
    if not is_own and not (document and (may_open(document, principal) or office().is_desk_of(document, principal))):
        abort(404)
    disposition = "inline" if file.kind in TYPES else "attachment"
    if request.args.get("view") and file.kind in PICTURES and (picture := find_preview(file)):
        answer = Response(picture, mimetype="image/jpeg")
        return sealed(answer, "inline", file.name)
    answer = Response(stream_with_context(read_chunks(file)), mimetype=TYPES.get(file.kind, "application/octet-stream"))
    return sealed(answer, disposition, file.name)


def find_preview(file) -> bytes | None:
    try:
        return preview_of(read_file(file))
    except NoPreview:
        return None


def sealed(answer: Response, disposition: str, name: str) -> Response:
    """Whatever a browser makes of it, it can reach nothing."""
    answer.headers.set("Content-Disposition", disposition, filename=name)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer

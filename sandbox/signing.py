"""The data centre's 加签 service (docs/protocols/signing-service.md): it holds a key for each company user and signs.

Every company of the register has two users: its first 海关编码 (RSA) and the same with `-sm2`. More are opened on the page.
"""

import base64
import binascii
import datetime
import hashlib
import subprocess
import threading

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from flask import Blueprint, Response, abort, jsonify, render_template, request

from sandbox.card import sm2
from sandbox.moods import LONGEST_SILENCE, get_mood
from sandbox.panel.authority import Holder
from sandbox.web import done, given, refused, wait_while, world

bp = Blueprint("signing", __name__, url_prefix="/signing")
PASSWORD = "sandbox"  # of the users that every company has
PROFILES = {"rsa": "rsa-sha1", "sm2": "sm2-sm3"}
SPKI_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
_making = threading.Lock()


# the protocol


@bp.get("/certificate")
def give_certificate():
    """{profile, certificate}: base64 of DER."""
    account = account_of_request()
    return jsonify({"profile": PROFILES[account["algorithm"]], "certificate": account["certificate"]})


@bp.post("/signatures")
def sign():
    """{profile, content} → {signature}: all in base64; content is the SignedInfo."""
    account = account_of_request()
    fields = request.get_json(silent=True)
    try:
        content = base64.b64decode(fields["content"], validate=True)
        if fields["profile"] != PROFILES[account["algorithm"]]:
            return jsonify({"error": "这个用户的证书不是这种算法"}), 400
    except (TypeError, KeyError, ValueError, binascii.Error):
        return jsonify({"error": "profile and content are needed"}), 400
    if get_mood(world().store, "signing").name == "garbled":
        content += b"?"
    world().store.arrive("signature", account["user"], {"digest": hashlib.sha256(content).hexdigest()[:16]})
    return jsonify({"signature": base64.b64encode(_sign(account, content)).decode()})


def account_of_request() -> dict:
    """The user's account with its key; ends the request with 401, 403, 503 or after a silence."""
    mood = get_mood(world().store, "signing")
    if mood.name == "down":
        abort(_says("maintenance", 503))
    if mood.name == "silent":
        wait_while("signing", "silent", LONGEST_SILENCE)
        abort(_says("timeout", 504))
    if mood.name == "late":
        wait_while("signing", "late", mood.seconds)
    asks = request.authorization
    account = find_account(asks.username or "") if asks and asks.type == "basic" else None
    if account is None or account["password"] != asks.password:
        abort(_says("unauthorized", 401))
    if mood.name == "refuse":
        abort(_says("这个用户停用了", 403))
    return account


def _says(error: str, status: int) -> Response:
    response = jsonify({"error": error})
    response.status_code = status
    return response


# accounts


def find_account(user: str) -> dict | None:
    """With key and certificate, which are made when it is first asked for."""
    store = world().store
    with _making:
        account = store.find("signing-account", user) or _account_of_company(user)
        if account and "key" not in account:
            account |= _new_key(account)
            store.put("signing-account", user, account)
    return account


def _account_of_company(user: str) -> dict | None:
    code, _, algorithm = user.partition("-")
    if algorithm not in ("", "sm2"):
        return None
    for company in world().store.all("company"):
        if code and company["customs_codes"] and company["customs_codes"][0]["code"] == code:
            return _new_account(user, PASSWORD, company["uscc"], algorithm or "rsa")
    return None


def _new_account(user: str, password: str, uscc: str, algorithm: str) -> dict:
    return {"user": user, "password": password, "uscc": uscc, "algorithm": algorithm}


def _new_key(account: dict) -> dict:
    """{key, certificate}. The certificate names the company; its holder is the service."""
    company = world().store.find("company", account["uscc"])
    if account["algorithm"] == "sm2":
        scalar = sm2.new_key()
        key, public = f"{scalar:064x}", SPKI_HEAD + sm2.public_point(scalar)
        pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(public) + b"-----END PUBLIC KEY-----\n"
    else:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        key = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        pem = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    number = "89" + f"{int.from_bytes(hashlib.sha256(account['user'].encode()).digest()[:6]) % 10**11:011}"
    holder = Holder(number, "02", account["uscc"], company["name"], "云签", "")
    today = datetime.date.today()
    last = today + datetime.timedelta(365)
    certificate = world().authority.issue(account["algorithm"], pem, holder, today - datetime.timedelta(1), last)
    return {"key": key, "certificate": base64.b64encode(certificate).decode()}


def _sign(account: dict, content: bytes) -> bytes:
    if account["algorithm"] == "sm2":
        scalar = int(account["key"], 16)
        point = base64.b64decode(account["certificate"]).split(SPKI_HEAD[4:])[1][:65]
        return sm2.sign_digest(scalar, sm2.digest(point, content))
    key = serialization.load_pem_private_key(account["key"].encode(), None)
    return key.sign(content, padding.PKCS1v15(), hashes.SHA1())


# the page


@bp.get("/")
def show_service():
    store = world().store
    return render_template(
        "signing.html", accounts=store.all("signing-account"), companies=store.all("company"), password=PASSWORD,
        signatures=store.arrivals("signature", limit=20),
    )  # fmt: skip


@bp.post("/accounts")
def open_account():
    """A user of any company of the register: user, password, uscc, algorithm."""
    fields = {key: str(value).strip() for key, value in given().items()}
    user, password, uscc, algorithm = (fields.get(key, "") for key in ("user", "password", "uscc", "algorithm"))
    if not user or not password or algorithm not in PROFILES or world().store.find("company", uscc) is None:
        return refused("请填写用户名、密码、登记库里的企业和算法", "/signing/")
    try:
        with _making:
            account = _new_account(user, password, uscc, algorithm)
            world().store.put("signing-account", user, account | _new_key(account))
    except subprocess.CalledProcessError:
        return refused("证书没有发成", "/signing/")
    return done("用户已开通。", "/signing/", {"user": user})

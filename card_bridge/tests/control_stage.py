"""A stage with the client control open, and what its tests look at."""

import base64
import json

import portal_checks as checks
from bridge_stage import Stage
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from eport_card_bridge.__main__ import bind_exclusively
from eport_card_bridge.client_control.options import ControlOptions

ERP = "http://erp.example.com"
RAW = "https://old.example.com"
TEXT = '<单证 编号="1">三百台</单证>\r\n'


def open_control(stage: Stage) -> int:
    """Starts the bridge again, now with the client control; gives its port."""
    stage.stop_bridge()
    sock = bind_exclusively(0)
    stage.options.client_control = ControlOptions(sock, frozenset([ERP, RAW]), frozenset([RAW]))
    stage.start_bridge()
    return sock.getsockname()[1]


def certificate_of(stage) -> bytes:
    return base64.b64decode(json.loads(stage.card.path.read_text("utf-8"))["certificate"])


def is_signed(der: bytes, signature: bytes, data: bytes) -> bool:
    """By the system's OpenSSL for SM2, by cryptography for RSA."""
    certificate = x509.load_der_x509_certificate(der)
    if checks.is_sm2(certificate):
        return checks.sm2_verify(der, signature, data)
    try:
        certificate.public_key().verify(signature, data, padding.PKCS1v15(), hashes.SHA1())
    except InvalidSignature:
        return False
    return True

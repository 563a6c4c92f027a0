"""Verifies signatures with the key of a certificate (SpcVerifySignData): RSA with SHA-1, SM2 with SM3."""

import hashlib
import hmac

from ..applet import SHA1_PREFIX, SM2_A, SM2_B, SM2_G, sm2_digest
from ..outcomes import Outcome, Stop
from .certificate_fields import CertificateFields

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
SM2_SIGNATURE, SHA1_SIZE = 64, 20
Point = tuple[int, int] | None  # None: the point at infinity


def digest(fields: CertificateFields, data: bytes) -> bytes:
    """What is signed of `data`: SHA-1 for RSA, SM3(Z_A ‖ data) for SM2. Raises Stop for a key that is neither."""
    if fields.algorithm == "rsa":
        return hashlib.sha1(data).digest()
    if fields.algorithm == "sm2":
        return sm2_digest(fields.point, data)
    raise Stop(Outcome.ALGORITHM)


def is_signature(fields: CertificateFields, hashed: bytes, signature: bytes) -> bool:
    """`hashed` as `digest` gives it; `signature` PKCS#1 v1.5, or r‖s in 64 bytes."""
    if fields.algorithm == "rsa":
        return len(hashed) == SHA1_SIZE and is_rsa_signature(fields, hashed, signature)
    if fields.algorithm != "sm2":
        raise Stop(Outcome.ALGORITHM)
    if len(signature) != SM2_SIGNATURE or len(hashed) != 32:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    key = int.from_bytes(fields.point[1:33], "big"), int.from_bytes(fields.point[33:], "big")
    return is_on_curve(key) and is_sm2_signature(key, int.from_bytes(hashed, "big"), r, s)


def is_rsa_signature(fields: CertificateFields, hashed: bytes, signature: bytes) -> bool:
    """RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.2): the whole block is built and compared, nothing is parsed."""
    size = (fields.modulus.bit_length() + 7) // 8
    number = int.from_bytes(signature, "big")
    if len(signature) != size or number >= fields.modulus:
        return False
    info = SHA1_PREFIX + hashed
    expected = b"\0\1" + b"\xff" * (size - 3 - len(info)) + b"\0" + info
    return hmac.compare_digest(pow(number, fields.exponent, fields.modulus).to_bytes(size, "big"), expected)


def is_on_curve(point: tuple[int, int]) -> bool:
    x, y = point
    return x < P and y < P and (y * y - x**3 - SM2_A * x - SM2_B) % P == 0


def is_sm2_signature(key: tuple[int, int], e: int, r: int, s: int) -> bool:
    """GB/T 32918.2 §7."""
    t = (r + s) % N
    if not (0 < r < N and 0 < s < N and t):
        return False
    point = add(multiply(s, SM2_G), multiply(t, key))
    return point is not None and (e + point[0]) % N == r


def add(left: Point, right: Point) -> Point:
    if left is None or right is None:
        return right if left is None else left
    if left[0] == right[0]:
        if (left[1] + right[1]) % P == 0:
            return None
        slope = (3 * left[0] * left[0] + SM2_A) * pow(2 * left[1], -1, P)
    else:
        slope = (right[1] - left[1]) * pow(right[0] - left[0], -1, P)
    x = (slope * slope - left[0] - right[0]) % P
    return x, (slope * (left[0] - x) - left[1]) % P


def multiply(number: int, point: Point) -> Point:
    """Not in constant time: everything that it sees is public."""
    result: Point = None
    while number:
        if number & 1:
            result = add(result, point)
        point = add(point, point)
        number >>= 1
    return result

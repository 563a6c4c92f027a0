"""SM2 signatures (GB/T 32918.2) in plain Python, for the virtual card only: not constant in time."""

import hashlib
import secrets

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
DEFAULT_ID = b"1234567812345678"
ZERO = (1, 1, 0)
Point = tuple[int, int, int]  # Jacobian coordinates

_base_table: list[list[Point]] = []


def new_key() -> int:
    return secrets.randbelow(N - 2) + 1


def public_point(key: int) -> bytes:
    """Returns 04‖x‖y."""
    x, y = _affine(_times_base(key))
    return b"\x04" + _bytes(x) + _bytes(y)


def digest(point: bytes, message: bytes) -> bytes:
    """SM3(Z_A ‖ message) with the default user id; `point` is 04‖x‖y."""
    z = (len(DEFAULT_ID) * 8).to_bytes(2, "big") + DEFAULT_ID
    z += b"".join(_bytes(value) for value in (A, B, *G)) + point[1:]
    return hashlib.new("sm3", hashlib.new("sm3", z).digest() + message).digest()


def sign_digest(key: int, message_digest: bytes) -> bytes:
    """Signs the 32 bytes that `digest` gives; returns r‖s (64 bytes)."""
    e = int.from_bytes(message_digest, "big")
    while True:
        k = new_key()
        r = (e + _affine(_times_base(k))[0]) % N
        s = pow(1 + key, -1, N) * (k - r * key) % N
        if r and r + k != N and s:
            return _bytes(r) + _bytes(s)


def _bytes(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _double(point: Point) -> Point:
    x, y, z = point
    if not y:
        return ZERO
    delta, gamma = z * z % P, y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    new_x = (alpha * alpha - 8 * beta) % P
    return new_x, (alpha * (4 * beta - new_x) - 8 * gamma * gamma) % P, ((y + z) ** 2 - gamma - delta) % P


def _add(p: Point, q: Point) -> Point:
    if not p[2]:
        return q
    if not q[2]:
        return p
    z1, z2 = p[2] * p[2] % P, q[2] * q[2] % P
    u1, u2 = p[0] * z2 % P, q[0] * z1 % P
    s1, s2 = p[1] * q[2] * z2 % P, q[1] * p[2] * z1 % P
    h, r = (u2 - u1) % P, (s2 - s1) % P
    if not h:
        return ZERO if r else _double(p)
    square, cube = h * h % P, h * h * h % P
    v = u1 * square % P
    x = (r * r - cube - 2 * v) % P
    return x, (r * (v - x) - s1 * cube) % P, p[2] * q[2] * h % P


def _affine(point: Point) -> tuple[int, int]:
    inverse = pow(point[2], -1, P)
    square = inverse * inverse % P
    return point[0] * square % P, point[1] * square * inverse % P


def _times_base(k: int) -> Point:
    """k·G by a table of 64 rows of 16 multiples, made at the first use."""
    if not _base_table:
        base: Point = (*G, 1)
        for _ in range(64):
            row = [ZERO]
            for _ in range(15):
                row.append(_add(row[-1], base))
            _base_table.append(row)
            base = _add(row[-1], base)
    result = ZERO
    for index, row in enumerate(_base_table):
        result = _add(result, row[k >> (4 * index) & 15])
    return result

"""SM2 signatures with SM3 (GB/T 32918, user id 1234567812345678) through the system's OpenSSL 3.

`verify(key, signature, data)` and `sign(private_key_pem, data)` speak the raw form r‖s, 64 bytes; certificates carry
the ASN.1 form, for which there is `verify_der`. A key is a certificate (DER) or a public point (65 bytes, 04‖x‖y).
All functions may be called from several threads at once.
"""

import ctypes
import ctypes.util
import functools
import weakref
from types import SimpleNamespace

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

USER_ID = b"1234567812345678"
SPKI_PREFIX = bytes.fromhex(
    "3059301306072a8648ce3d020106082a811ccf5501822d034200"
)  # SubjectPublicKeyInfo up to the point

_POINTER, _SIZE, _BYTES, _INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_int
_FUNCTIONS = {
    "OpenSSL_version_num": (ctypes.c_ulong,),
    "BIO_new_mem_buf": (_POINTER, _BYTES, _INT),
    "BIO_free": (_INT, _POINTER),
    "d2i_X509_bio": (_POINTER, _POINTER, _POINTER),
    "X509_get_pubkey": (_POINTER, _POINTER),
    "X509_free": (None, _POINTER),
    "d2i_PUBKEY_bio": (_POINTER, _POINTER, _POINTER),
    "PEM_read_bio_PrivateKey": (_POINTER, _POINTER, _POINTER, _POINTER, _BYTES),
    "EVP_PKEY_is_a": (_INT, _POINTER, _BYTES),
    "EVP_PKEY_free": (None, _POINTER),
    "EVP_MD_CTX_new": (_POINTER,),
    "EVP_MD_CTX_free": (None, _POINTER),
    "EVP_MD_CTX_set_pkey_ctx": (None, _POINTER, _POINTER),
    "EVP_PKEY_CTX_new": (_POINTER, _POINTER, _POINTER),
    "EVP_PKEY_CTX_free": (None, _POINTER),
    "EVP_PKEY_CTX_set1_id": (_INT, _POINTER, _BYTES, _INT),
    "EVP_sm3": (_POINTER,),
    "EVP_DigestVerifyInit": (_INT, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
    "EVP_DigestVerify": (_INT, _POINTER, _BYTES, _SIZE, _BYTES, _SIZE),
    "EVP_DigestSignInit": (_INT, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
    "EVP_DigestSign": (_INT, _POINTER, _BYTES, ctypes.POINTER(_SIZE), _BYTES, _SIZE),
    "ERR_clear_error": (None,),
}


class Sm2Unavailable(RuntimeError):
    """This machine has no OpenSSL 3 with SM2."""


class BadKey(ValueError):
    """These bytes hold no SM2 key."""


@functools.cache
def _openssl() -> SimpleNamespace:
    """The functions of libcrypto that we use, with their types."""
    for name in (ctypes.util.find_library("crypto"), "libcrypto.so.3", "libcrypto-3-x64.dll", "libcrypto-3.dll"):
        try:
            library = ctypes.CDLL(name) if name else None
        except OSError:
            continue
        if library is not None and hasattr(library, "EVP_PKEY_is_a"):  # new in version 3
            break
    else:
        raise Sm2Unavailable("OpenSSL 3 was not found")
    functions = {}
    for name, (result, *arguments) in _FUNCTIONS.items():
        functions[name] = getattr(library, name)
        functions[name].restype, functions[name].argtypes = result, arguments
    return SimpleNamespace(**functions)


class _Key:
    """One EVP_PKEY, freed with this object; reading it from several threads is safe."""

    def __init__(self, pointer: int | None) -> None:
        ssl = _openssl()
        if not pointer or ssl.EVP_PKEY_is_a(pointer, b"SM2") != 1:
            ssl.EVP_PKEY_free(pointer)
            ssl.ERR_clear_error()
            raise BadKey("not an SM2 key")
        self.pointer = pointer
        weakref.finalize(self, ssl.EVP_PKEY_free, pointer)

    def run(self, start: str, work) -> bool:
        """Calls `work(context)` with a digest context made ready by the function `start`; True if it answers 1."""
        ssl = _openssl()
        context, key_context = ssl.EVP_MD_CTX_new(), ssl.EVP_PKEY_CTX_new(self.pointer, None)
        try:
            ssl.EVP_PKEY_CTX_set1_id(key_context, USER_ID, len(USER_ID))
            ssl.EVP_MD_CTX_set_pkey_ctx(context, key_context)
            if getattr(ssl, start)(context, None, ssl.EVP_sm3(), None, self.pointer) != 1:
                raise Sm2Unavailable("OpenSSL refuses SM2 or SM3")
            return work(context) == 1
        finally:
            ssl.EVP_MD_CTX_free(context)
            ssl.EVP_PKEY_CTX_free(key_context)
            ssl.ERR_clear_error()  # Python's own ssl module shares this thread's queue


def _read(data: bytes, read) -> int | None:
    """`read(bio)` on a memory BIO over `data`."""
    ssl = _openssl()
    bio = ssl.BIO_new_mem_buf(data, len(data))
    try:
        return read(bio)
    finally:
        ssl.BIO_free(bio)


@functools.lru_cache(maxsize=256)
def _public_key(key: bytes) -> _Key:
    ssl = _openssl()
    if len(key) == 65:
        return _Key(_read(SPKI_PREFIX + key, lambda bio: ssl.d2i_PUBKEY_bio(bio, None)))
    certificate = _read(key, lambda bio: ssl.d2i_X509_bio(bio, None))
    try:
        return _Key(ssl.X509_get_pubkey(certificate) if certificate else None)
    finally:
        ssl.X509_free(certificate)


@functools.lru_cache(maxsize=16)
def _private_key(pem: bytes) -> _Key:
    return _Key(_read(pem, lambda bio: _openssl().PEM_read_bio_PrivateKey(bio, None, None, b"")))


def verify_der(key: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the ASN.1 `signature` over `data` was made by the key; raises BadKey."""
    ssl = _openssl()
    return _public_key(key).run(
        "EVP_DigestVerifyInit",
        lambda context: ssl.EVP_DigestVerify(context, signature, len(signature), data, len(data)),
    )


def verify(key: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the raw `signature` (r‖s, 64 bytes) over `data` was made by the key; raises BadKey."""
    if len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    return verify_der(key, encode_dss_signature(r, s), data)


def sign(private_key_pem: bytes, data: bytes) -> bytes:
    """The raw signature (r‖s, 64 bytes) over `data` by an unencrypted PEM key; raises BadKey."""
    ssl = _openssl()
    length = _SIZE(128)
    signature = ctypes.create_string_buffer(length.value)
    if not _private_key(private_key_pem).run(
        "EVP_DigestSignInit",
        lambda context: ssl.EVP_DigestSign(context, signature, ctypes.byref(length), data, len(data)),
    ):
        raise Sm2Unavailable("OpenSSL did not sign")
    r, s = decode_dss_signature(signature.raw[: length.value])
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")

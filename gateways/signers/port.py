"""What signs SignedInfo of a customs message."""

from typing import Protocol


class Signer(Protocol):
    """Made ready by its constructor, which raises Unavailable or NotLetIn, as do the methods. To be closed."""

    profile: str  # "rsa-sha1" | "sm2-sm3"
    certificate: bytes  # DER

    def sign(self, signed_info: bytes) -> bytes:
        """RSA PKCS#1 v1.5, or SM2 as r‖s (64 bytes). The caller verifies it."""

    def close(self) -> None: ...

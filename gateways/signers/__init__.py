"""Signers of customs messages where nobody sits with a card: 加密机 and the data centre's 加签 service.

signer = Pkcs11Signer(module, token, pin)            # or HttpSigner(address, user, password)
info = signature.signed_info(signer.profile, message)
signed = signature.assemble(message, signer.profile, signer.certificate, signer.sign(info))   # verified there
signer.close()
"""

from .http import HttpSigner
from .pkcs11 import Pkcs11Signer
from .port import Signer

__all__ = ["HttpSigner", "Pkcs11Signer", "Signer"]

"""The forms that files of keys and certificates come in, and the command that makes PEM of each.

Source: RFC 5280 §4.1, RFC 2986 §4.1, RFC 5958 §2 and §3, RFC 7292 §4 and RFC 5652 §3 for how each begins.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from cryptography import x509

from prism_iac.pki._oddities import oddities_forgiven

__all__ = ["TO_CERTIFICATE", "TO_KEY", "Form", "form_of"]


class Form(StrEnum):
    """A form, named as in a message."""

    PEM = "PEM text"
    CERTIFICATE = "a certificate in DER form"
    REQUEST = "a certificate request in DER form"
    KEY = "a private key in DER form"
    PKCS7 = "a PKCS#7 file"
    PKCS12 = "a PKCS#12 file"
    JAVA = "a Java key store"
    OTHER = "no file of keys or certificates"


_FROM_JAVA: Final = (
    "keytool -importkeystore -srckeystore keys.jks -destkeystore keys.p12 -deststoretype pkcs12"
)

TO_CERTIFICATE: Final = {
    Form.CERTIFICATE: "openssl x509 -inform DER -in cert.der -out cert.pem",
    Form.PKCS7: "openssl pkcs7 -inform DER -in certs.p7b -print_certs -out cert.pem",
    Form.PKCS12: "openssl pkcs12 -in keys.p12 -nokeys -out cert.pem",
    Form.JAVA: _FROM_JAVA,
}
"""The command that writes the certificates of a form as PEM."""

TO_KEY: Final = {
    Form.KEY: "openssl pkey -inform DER -in key.der -out private.pem",
    Form.PKCS12: "openssl pkcs12 -in keys.p12 -nocerts -noenc -out private.pem",
    Form.JAVA: _FROM_JAVA,
}
"""The command that writes the private key of a form as PEM."""

_SEQUENCE: Final = b"\x30"
_BEGINNINGS: Final = {
    Form.PKCS12: b"\x02\x01\x03",  # version 3
    Form.PKCS7: bytes.fromhex("06092a864886f70d010702"),  # signedData
    Form.KEY: b"\x02",  # any other version
}
"""How the content of the outermost sequence begins; the first that fits counts."""

_PBE: Final = (bytes.fromhex("06092a864886f70d0105"), bytes.fromhex("060a2a864886f70d010c01"))
"""How the algorithm of an encrypted key begins: PKCS#5, PKCS#12 appendix C."""

_JAVA_MAGIC: Final = bytes.fromhex("feedfeed")


def form_of(data: bytes) -> Form:
    """The form of a file, from how it begins; nothing of it is verified."""
    if b"-----BEGIN " in data:
        return Form.PEM
    if data.startswith(_JAVA_MAGIC):
        return Form.JAVA
    content = _content(data)
    for form, beginnings in _BEGINNINGS.items():
        if content.startswith(beginnings):
            return form
    if content.startswith(_SEQUENCE) and content[2:].startswith(_PBE):
        return Form.KEY
    if _can(x509.load_der_x509_certificate, data):
        return Form.CERTIFICATE
    return Form.REQUEST if _can(x509.load_der_x509_csr, data) else Form.OTHER


def _content(der: bytes) -> bytes:
    """What stands in the outermost sequence; empty when there is none."""
    if not der.startswith(_SEQUENCE):
        return b""
    length = der[1:2] or b"\0"
    # X.690 §8.1.3.5: the high bit says that the length itself takes that many bytes more.
    return der[2 + (length[0] & 0x7F if length[0] & 0x80 else 0) :]


def _can(load: Callable[[bytes], object], data: bytes) -> bool:
    try:
        with oddities_forgiven():
            load(data)
    except (ValueError, TypeError, x509.InvalidVersion):
        return False
    return True

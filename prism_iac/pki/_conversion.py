"""Files that people bring, in whichever form: PEM, DER, PKCS#7, PKCS#12; what is read goes on as PEM."""

from __future__ import annotations

import warnings

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_private_key, pkcs7, pkcs12

from prism_iac.pki._certificate import load_certificates, parse_certificate
from prism_iac.pki._findings import invalid
from prism_iac.pki._form import TO_CERTIFICATE, TO_KEY, Form, form_of
from prism_iac.pki._key import WRONG_PASSPHRASE, PrivateKey, load_private_key, require_usable

__all__ = ["read_certificates", "read_private_key"]


def read_certificates(data: bytes, passphrase: bytes | None = None) -> tuple[x509.Certificate, ...]:
    """The certificates of a file, at least one, the leaf first where the file says which it is.

    Args:
        data: PEM, DER, PKCS#7 or PKCS#12.
        passphrase: What opens a PKCS#12 file.

    Raises:
        InvalidInput: There is none, the form is another one, or the passphrase does not open it.
    """
    match form_of(data):
        case Form.CERTIFICATE:
            return (parse_certificate(data),)
        case Form.PKCS7:
            return _read_pkcs7(data)
        case Form.PKCS12:
            store = _open(data, passphrase)
            found = [store.cert, *store.additional_certs]
            certificates = tuple(item.certificate for item in found if item is not None)
            if certificates:
                return certificates
            raise invalid(
                "there is no certificate in the PKCS#12 file", "Export it again, with its certificate."
            )
        case _:
            return load_certificates(data)


def read_private_key(data: bytes, passphrase: bytes | None = None) -> PrivateKey:
    """The private key of a file.

    Args:
        data: PEM, DER or PKCS#12.
        passphrase: What opens it; None or empty when nothing has to.

    Raises:
        InvalidInput: There is none, it is of a kind that Prism does not use, the form is another one, or the
            passphrase does not open it. Neither key nor passphrase is repeated.
    """
    match form_of(data):
        case Form.KEY:
            return require_usable(_read_der(data, passphrase))
        case Form.PKCS12:
            key = _open(data, passphrase).key
            if key is None:
                raise invalid("there is no private key in the PKCS#12 file", "Export it again, with its key.")
            return require_usable(key)
        case _:
            return load_private_key(data, passphrase)


def _read_pkcs7(data: bytes) -> tuple[x509.Certificate, ...]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that it is BER is nothing to tell whoever reads it
            found = pkcs7.load_der_pkcs7_certificates(data)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise invalid(
            "the PKCS#7 file cannot be read", f"Convert it: `{TO_CERTIFICATE[Form.PKCS7]}`."
        ) from error
    if not found:
        raise invalid("there is no certificate in the PKCS#7 file", "Export it again.")
    return tuple(found)


def _open(data: bytes, passphrase: bytes | None) -> pkcs12.PKCS12KeyAndCertificates:
    try:
        return pkcs12.load_pkcs12(data, passphrase or None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise invalid(
            "the passphrase does not open the PKCS#12 file"
            if passphrase
            else "the PKCS#12 file is protected by a passphrase, or damaged",
            f"Give its passphrase, or convert it: `{TO_CERTIFICATE[Form.PKCS12]}` and `{TO_KEY[Form.PKCS12]}`.",
        ) from error


def _read_der(data: bytes, passphrase: bytes | None) -> PrivateKeyTypes:
    try:
        return load_der_private_key(data, passphrase or None)
    except TypeError as error:
        if passphrase:  # it has none, so that the one given opens nothing
            return _read_der(data, None)
        raise invalid(
            "the private key is protected by a passphrase",
            f"Give its passphrase, or convert it: `{TO_KEY[Form.KEY]}`.",
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise invalid(
            *(
                WRONG_PASSPHRASE
                if passphrase
                else ("the private key cannot be read", "Make one with `openssl genpkey`.")
            )
        ) from error

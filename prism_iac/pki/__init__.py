"""Keys, signatures, certificates and bundles, and a small CA.

Main entries: `Authority`, `issue_bundle`, `check_certificate`, `parse_public_key`, `sign_role`. The time is
passed in; no network, no environment, no files; only keys and serial numbers use the system's random source.
Private keys are PEM bytes inside values that do not print them. Imports nothing of the package but `model`
and `errors`.
"""

from prism_iac.pki._authority import Authority, IssuedCertificate, SignedCertificate
from prism_iac.pki._bundle import Bundle, issue_bundle
from prism_iac.pki._certificate import (
    common_name_of,
    extensions_of,
    is_authority,
    is_issued_by,
    load_certificates,
    parse_certificate,
    public_key_of,
)
from prism_iac.pki._check import check_certificate
from prism_iac.pki._key import KeyPair, PrivateKey, PublicKey, generate_key_pair, load_private_key
from prism_iac.pki._ocsp import Revocation
from prism_iac.pki._public_key import load_public_key, parse_public_key
from prism_iac.pki._role_signature import sign_role, verify_role

__all__ = [
    "Authority",
    "Bundle",
    "IssuedCertificate",
    "KeyPair",
    "PrivateKey",
    "PublicKey",
    "Revocation",
    "SignedCertificate",
    "check_certificate",
    "common_name_of",
    "extensions_of",
    "generate_key_pair",
    "is_authority",
    "is_issued_by",
    "issue_bundle",
    "load_certificates",
    "load_private_key",
    "load_public_key",
    "parse_certificate",
    "parse_public_key",
    "public_key_of",
    "sign_role",
    "verify_role",
]

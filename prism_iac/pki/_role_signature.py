"""The signature by which an agent knows a participant.

The signed message is the role's name alone, UTF-8: nothing binds it to one computation or one upload.
Source: cocos-grpc.md section 3.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from prism_iac.pki._key import load_private_key
from prism_iac.pki._public_key import load_public_key

__all__ = ["sign_role", "verify_role"]


def sign_role(private_key_pem: bytes, role: str) -> bytes:
    """The signature of a role: PKCS#1 v1.5 (RSA), ASN.1 DER (ECDSA), both over SHA-256, or pure Ed25519.

    Args:
        private_key_pem: As `load_private_key` takes it.
        role: `algorithm-provider`, `data-provider` or `consumer`.

    Raises:
        InvalidInput: The key cannot be used.
    """
    message = role.encode()
    match load_private_key(private_key_pem):
        case rsa.RSAPrivateKey() as key:
            return key.sign(message, padding.PKCS1v15(), SHA256())
        case ec.EllipticCurvePrivateKey() as key:
            return key.sign(message, ec.ECDSA(SHA256()))
        case ed25519.Ed25519PrivateKey() as key:
            return key.sign(message)


def verify_role(public_key_der: bytes, role: str, signature: bytes) -> bool:
    """Whether a signature of a role was made with a participant's key.

    Several keys are tried in turn for one signature, so a mismatch is an answer and no error.

    Args:
        public_key_der: PKIX SubjectPublicKeyInfo, as `parse_public_key` gives it.
        role: The role that the call needs.
        signature: The raw bytes; any length.

    Raises:
        InvalidInput: The key cannot be used.
    """
    message = role.encode()
    try:
        match load_public_key(public_key_der):
            case rsa.RSAPublicKey() as key:
                key.verify(signature, message, padding.PKCS1v15(), SHA256())
            case ec.EllipticCurvePublicKey() as key:
                key.verify(signature, message, ec.ECDSA(SHA256()))
            case ed25519.Ed25519PublicKey() as key:
                key.verify(signature, message)
    except InvalidSignature:
        return False
    return True

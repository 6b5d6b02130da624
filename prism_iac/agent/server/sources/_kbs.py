"""Asks a key broker (KBS) for the key to a source, with evidence of this VM.

Source: cocos-grpc.md section 4.6 for the request of a key. Agents of Cocos have their token from the attestation
agent of Confidential Containers; this one speaks the handshake itself that the token comes from: `auth` gives a
nonce, `attest` takes evidence over the nonce and over a key made for this request, and gives the token. Report
data is SHA-384 of the compact `runtime-data`, keys sorted, with zeros behind it; evidence has the form of the
`Attestation` call. So a token is worth nothing without the key that it was given for.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from prism_iac._json import json_object
from prism_iac.agent._protocol import TEE_NONCE_BYTES
from prism_iac.agent.server.sources._failure import FetchFailed
from prism_iac.agent.server.sources._http import Http
from prism_iac.agent.server.sources._jwe import BadJweError, encoded, is_jwe, open_jwe
from prism_iac.attestation import SimulatedGuest

__all__ = ["fetch_key"]

_VERSION: Final = "0.1.0"
_MOST_BYTES: Final = 64 << 10
_OK: Final = 200
_COORDINATE_BYTES: Final = 32


async def fetch_key(
    http: Http, guest: SimulatedGuest | None, broker: str | None, resource: str | None
) -> bytes:
    """The key behind a resource of a broker.

    Args:
        http: Asks; the broker is on https, or the answer is encrypted to this VM.
        guest: Proves this VM; None when it cannot.
        broker: The URL before `/kbs/v0`.
        resource: The path of the key.

    Raises:
        FetchFailed: There is no broker, it does not believe the evidence, or it has no such key.
    """
    if not broker or not resource:
        raise FetchFailed("KBS not configured or not enabled")
    base = f"{broker.rstrip('/')}/kbs/v0"
    key = ec.generate_private_key(ec.SECP256R1())
    token = await _fetch_token(http, guest, base, key)
    async with http.get(
        f"{base}/resource/{resource}", {"Authorization": f"Bearer {token}"}, follows=False
    ) as response:
        if response.status_code != _OK:
            raise FetchFailed(f"KBS returned status {response.status_code}")
        body = await http.read(response, _MOST_BYTES)
    if is_jwe(body):
        try:
            return open_jwe(body, key)
        except BadJweError as error:
            raise FetchFailed(f"failed to decrypt KBS resource: {error}") from error
    if not base.startswith("https://"):
        raise FetchFailed("the key came over http without encryption to this VM, so it is no secret any more")
    return body


async def _fetch_token(
    http: Http, guest: SimulatedGuest | None, base: str, key: ec.EllipticCurvePrivateKey
) -> str:
    if guest is None:
        raise _no_token("this VM has no trusted execution environment")
    challenge = _answer(
        *await _post(http, f"{base}/auth", {"version": _VERSION, "tee": "snp", "extra-params": ""}), "nonce"
    )
    runtime_data = {"nonce": challenge, "tee-pubkey": _jwk(key.public_key())}
    canonical = json.dumps(runtime_data, sort_keys=True, separators=(",", ":")).encode()
    report_data = hashlib.sha384(canonical).digest().ljust(TEE_NONCE_BYTES, b"\0")
    evidence = await asyncio.to_thread(guest.attest, report_data)
    proof = {
        "runtime-data": runtime_data,
        "tee-evidence": base64.b64encode(evidence.to_bytes()).decode("ascii"),
    }
    return _answer(*await _post(http, f"{base}/attest", proof), "token")


async def _post(http: Http, url: str, body: Mapping[str, object]) -> tuple[int, bytes]:
    return await http.post(url, body, most_bytes=_MOST_BYTES)


def _answer(status: int, body: bytes, field: str) -> str:
    if status != _OK:
        raise _no_token(f"KBS returned status {status}")
    value = (json_object(body) or {}).get(field)
    if not isinstance(value, str) or not value.isprintable() or not value:
        raise _no_token(f"KBS answered without a {field}")
    return value


def _no_token(why: str) -> FetchFailed:
    return FetchFailed(f"failed to retrieve token from attestation service: {why}")


def _jwk(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = key.public_numbers()
    return {
        "alg": "ECDH-ES+A256KW",
        "crv": "P-256",
        "kty": "EC",
        "x": encoded(numbers.x.to_bytes(_COORDINATE_BYTES)),
        "y": encoded(numbers.y.to_bytes(_COORDINATE_BYTES)),
    }

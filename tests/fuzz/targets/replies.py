"""What servers answer: Prism to its client, a forge, registries and key brokers to an agent, agents to participants."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpcore
import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from prism_iac.agent.server.sources import SourceSettings
from prism_iac.agent.server.sources._failure import FetchFailed
from prism_iac.agent.server.sources._http import Http
from prism_iac.agent.server.sources._jwe import BadJweError, agreed_key, encoded, is_jwe, open_jwe
from prism_iac.agent.server.sources._kbs import fetch_key
from prism_iac.agent.server.sources._registry import Image, Registry, parse_image
from prism_iac.forge import Rest, Trust, verify_identity
from prism_iac.model import marked
from prism_iac.prism import Limits, PrismClient, TokenCredentials, Workspace
from prism_iac.prism._json import Malformed, decode
from tests.fuzz.target import Target
from tests.fuzz.targets.guest import simulated_guest

__all__ = ["TARGETS"]

_NOW = datetime(2026, 1, 12, 9, 30, tzinfo=UTC)
_SEPARATOR = b"\n--\n"


# Prism to its client ---------------------------------------------------------------------------------------------

_Ask = Callable[[PrismClient, Workspace], object]
_CALLS: Sequence[tuple[_Ask, Any]] = (
    (
        lambda _, lab: lab.computations.get("c"),
        {"id": "c", "name": "n", "description": marked("d", "9c41.0"), "status": "running", "agent_config": {"attested_tls": True}},
    ),
    (
        lambda _, lab: list(lab.computations.list(include=("manifest", "roles"))),
        {"computations": [{"id": "c", "name": "n", "created_at": "2026-01-12T09:30:00Z"}], "total": 1, "offset": 0, "limit": 100},
    ),
    (lambda _, lab: lab.computations.create(name="n", description="d"), {"id": "c"}),
    (lambda _, lab: lab.computations.latest_run("c"), {"id": "r", "number": 1, "status": "completed", "cvm_id": "v"}),
    (lambda _, lab: lab.computations.run("c", "v"), {"run_id": "r"}),
    (lambda _, lab: lab.computations.dry_run("c"), {"missing_items": ["algorithm"], "can_run": False}),
    (lambda _, lab: lab.computations.manifest("c"), {"id": "c", "algorithm": {"hash": [0] * 32}}),
    (
        lambda _, lab: list(lab.computations.events("c")),
        {"events": [{"id": "e", "event_type": "Running", "status": "Completed", "timestamp": "2026-01-12T09:30:00Z", "details": "e30="}], "total": 1},
    ),
    (lambda _, lab: list(lab.computations.logs("c")), {"logs": [{"level": "info", "message": "m", "timestamp": "2026-01-12T09:30:00Z"}], "total": 1}),
    (lambda _, lab: lab.computations.statistics(), {"statistics": [{"day": "2026-01-12", "total": 1}]}),
    (lambda _, lab: lab.computations.has_key("c"), {"has_key": True}),
    (lambda _, lab: lab.assets.get("a"), {"id": "a", "asset_type": "dataset", "checksum": "5f" * 32, "file_name": "n", "computations": []}),
    (lambda _, lab: list(lab.assets.list()), {"assets": [{"id": "a", "asset_type": "algorithm"}], "total": 1}),
    (lambda _, lab: lab.cvms.get("v"), {"id": "v", "name": "n", "status": "online", "state": "ReceivingManifest", "agent_url": "127.0.0.1:7002"}),
    (lambda _, lab: lab.cvms.attestation_policy("v"), {"attestation_policy": base64.b64encode(b"{}").decode()}),
    (lambda _, lab: list(lab.certificates.list()), {"certificates": [{"serial_number": "7", "entity_id": "v", "expiry_time": "2026-01-12T09:30:00Z"}], "total": 1}),
    (lambda _, lab: lab.certificates.download("v", "t"), {"ca": "LQ==", "certificate": "LQ==", "private_key": "LQ=="}),
    (lambda _, lab: lab.certificates.fetch_ca(), {"token": "t"}),
    (lambda _, lab: list(lab.roles.list("c")), {"roles": [{"id": "r", "name": "n", "members": ["u"], "actions": ["view"]}], "total": 1}),
    (lambda _, lab: list(lab.roles.members("c", "r")), {"members": ["u"], "total": 1}),
    (lambda prism, _: prism.users.profile(), {"id": "u", "email": "ada@example.com", "credentials": {"username": "ada"}}),
    (lambda prism, _: prism.users.find("ada@example.com"), {"users": [{"id": "u", "email": "ada@example.com"}], "total": 1}),
    (lambda prism, _: list(prism.domains.list()), {"domains": [{"id": "d", "name": "n", "alias": "research"}], "total": 1}),
)  # fmt: skip


class _Canned(httpx.HTTPTransport):
    """A network that says the same bytes to everybody who connects."""

    def __init__(self, said: bytes) -> None:
        self._pool = httpcore.ConnectionPool(network_backend=httpcore.MockBackend([said]))


def _prism(data: bytes) -> None:
    """A whole reply as it comes from the network, to the call that the first byte chooses."""
    ask, _ = _CALLS[(data[:1] or b"\0")[0] % len(_CALLS)]
    passed = iter(range(1 << 20))
    client = PrismClient(
        "http://127.0.0.1:1",
        TokenCredentials("token"),
        limits=Limits(reply_bytes=1 << 20),
        transport=_Canned(data[1:]),
        clock=lambda: float(next(passed)),
        sleep=lambda _: None,
    )
    try:
        ask(client, client.workspace("d"))
    finally:
        client.close()


def _replies() -> Iterator[bytes]:
    for number, (_, document) in enumerate(_CALLS):
        yield bytes([number]) + _reply(json.dumps(document).encode())
    packed = gzip.compress(json.dumps(_CALLS[0][1]).encode(), mtime=0)
    yield b"\0" + _reply(packed, more=b"Content-Encoding: gzip\r\n")
    yield b"\0" + _reply(b'{"error": "not found"}', status=b"404 Not Found")
    yield b"\2" + _reply(b"", status=b"201 Created", more=b"HX-Location: /computations/c\r\n")


def _reply(body: bytes, *, status: bytes = b"200 OK", more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n%b" % (
        status,
        len(body),
        more,
        body,
    )


def _json(data: bytes) -> None:
    value = decode(data)
    assert decode(json.dumps(value).encode()) == value


def _jsons() -> Iterator[bytes]:
    yield b'{"a": [1, -2.5e3, null, true, "\\u00e9\\ud83d\\ude00"], "b": {}}'


# A forge to a job ------------------------------------------------------------------------------------------------


def _forge(data: bytes) -> None:
    rest = Rest("https://api.example.com", headers={}, secret="secret", pause=lambda _: None)
    rest._client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=data)))
    rest.get("/pulls", lambda items: [(int(item["number"]), str(item["head"]["sha"])) for item in items])


def _pulls() -> Iterator[bytes]:
    yield b'[{"number": 7, "head": {"sha": "5f0b"}}]'


_FORGE_KEY = ec.derive_private_key(5, ec.SECP256R1())
_TRUST = Trust(
    issuer="https://forge.example.com",
    audience="prism",
    claims={"repository": "a/b", "job_workflow_ref": "a/b/c@refs/heads/main", "ref": "refs/heads/main"},
)


@cache
def _forge_keys() -> jwt.PyJWKSet:
    key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(_FORGE_KEY.public_key()))
    return jwt.PyJWKSet.from_dict({"keys": [{**key, "kid": "k", "alg": "ES256"}]})


def _identity(data: bytes) -> None:
    verify_identity(data.decode("ascii", "replace"), _TRUST, _forge_keys(), _NOW)


def _identities() -> Iterator[bytes]:
    begins = int(_NOW.timestamp())
    claims = {
        "iss": _TRUST.issuer,
        "aud": "prism",
        "sub": "s",
        "iat": begins,
        "exp": begins + 300,
        **_TRUST.claims,
    }
    yield jwt.encode(claims, _FORGE_KEY, algorithm="ES256", headers={"kid": "k"}).encode()


# Registries and key brokers to an agent --------------------------------------------------------------------------


@cache
def _runner() -> asyncio.Runner:
    return asyncio.Runner()


def _answering(*answers: tuple[int, dict[str, str], bytes]) -> Http:
    """HTTP of an agent to whom somebody says this, one answer after the other."""
    rest = iter(answers)

    def say(_: httpx.Request) -> httpx.Response:
        status, headers, body = next(rest, (404, {}, b""))
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    http = Http(SourceSettings(size_bytes=1 << 20))
    http._client = httpx.AsyncClient(transport=httpx.MockTransport(say))
    return http


def _image(data: bytes) -> None:
    """An index or a manifest whose digest is right."""
    image = Image("registry.example.com", "a/b", f"sha256:{hashlib.sha256(data).hexdigest()}")
    _runner().run(Registry(_answering((200, {}, data)), image).layers())


def _manifests() -> Iterator[bytes]:
    layer = {
        "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
        "digest": f"sha256:{'5f' * 32}",
        "size": 7,
    }
    yield json.dumps({"schemaVersion": 2, "layers": [layer]}).encode()


def _registry(data: bytes) -> None:
    """A challenge, what the token service says, and the manifest."""
    challenge, token, manifest = (*data.split(_SEPARATOR, 2), b"", b"")[:3]
    image = Image("registry.example.com", "a/b", f"sha256:{hashlib.sha256(manifest).hexdigest()}")
    header = {
        "WWW-Authenticate": challenge.decode("latin-1").replace("\r", "").replace("\n", "").replace("\0", "")
    }
    http = _answering((401, header, b""), (200, {}, token), (200, {}, manifest))
    _runner().run(Registry(http, image).layers())


def _challenges() -> Iterator[bytes]:
    challenge = b'Bearer realm="https://auth.example.com/token",service="registry.example.com",scope="pull"'
    yield _SEPARATOR.join((challenge, b'{"token": "t"}', next(_manifests())))


def _image_name(data: bytes) -> None:
    parse_image(data.decode("utf-8", "replace"))


def _image_names() -> Iterator[bytes]:
    yield f"docker://registry.example.com:5000/a/b:tag@sha256:{'5f' * 32}".encode()
    yield f"oci:alpine@sha256:{'5f' * 32}".encode()


def _broker(data: bytes) -> None:
    """What a key broker answers to a request for a challenge, to evidence, and to one for a key."""
    challenge, token, key = (*data.split(_SEPARATOR, 2), b"", b"")[:3]
    http = _answering((200, {}, challenge), (200, {}, token), (200, {}, key))
    _runner().run(fetch_key(http, simulated_guest(), "https://kbs.example.com", "a/b/c"))


def _brokers() -> Iterator[bytes]:
    yield _SEPARATOR.join((b'{"nonce": "AAAA", "extra-params": ""}', b'{"token": "t"}', bytes(range(32))))


_AGENT_KEY = ec.derive_private_key(7, ec.SECP256R1())


def _jwe(data: bytes) -> None:
    if not is_jwe(data):
        raise BadJweError("it is none")
    open_jwe(data, _AGENT_KEY)


def _jwes() -> Iterator[bytes]:
    ephemeral = ec.derive_private_key(9, ec.SECP256R1())
    numbers = ephemeral.public_key().public_numbers()
    epk = {
        "kty": "EC",
        "crv": "P-256",
        "x": encoded(numbers.x.to_bytes(32)),
        "y": encoded(numbers.y.to_bytes(32)),
    }
    header = encoded(json.dumps({"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "epk": epk}).encode())
    wrapping = agreed_key(ephemeral.exchange(ec.ECDH(), _AGENT_KEY.public_key()), "ECDH-ES+A256KW", 256)
    content = bytes(32)
    sealed = AESGCM(content).encrypt(bytes(12), b"the key", header.encode())
    yield json.dumps(
        {
            "protected": header,
            "encrypted_key": encoded(aes_key_wrap(wrapping, content)),
            "iv": encoded(bytes(12)),
            "ciphertext": encoded(sealed[:-16]),
            "tag": encoded(sealed[-16:]),
        }
    ).encode()


TARGETS = (
    Target("prism-reply", _prism, _replies),
    Target("prism-json", _json, _jsons, (Malformed,)),
    Target("forge-reply", _forge, _pulls),
    Target("identity-token", _identity, _identities),
    Target("image-name", _image_name, _image_names, (FetchFailed,)),
    Target("image-manifest", _image, _manifests, (FetchFailed,)),
    Target("registry", _registry, _challenges, (FetchFailed,)),
    Target("key-broker", _broker, _brokers, (FetchFailed,)),
    Target("jwe", _jwe, _jwes, (BadJweError,)),
)

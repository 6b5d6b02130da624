"""Where sources are, for tests: one HTTPS server that is a store, an S3, a registry and a key broker in turn."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import io
import json
import os
import ssl
import tarfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from prism_iac.agent.server.sources._jwe import agreed_key, decoded, encoded
from prism_iac.attestation.snp._evidence import Evidence


@dataclass
class Answer:
    """One answer; `cut` sends fewer bytes than it announces, `waits` none until the store closes."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    waits: bool = False


@dataclass
class Request:
    """What was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Route = Callable[[Request], Answer]


class Store:
    """Answers by path; keeps what was asked."""

    def __init__(self, port: int) -> None:
        self.host = f"localhost:{port}"
        self.url = f"https://{self.host}"
        self.routes: dict[str, Route] = {}
        self.requests: list[Request] = []
        self.closing = threading.Event()

    def serve(self, path: str, body: bytes = b"", **answer: Any) -> str:
        """Let a path answer with this; gives the URL."""
        self.routes[path] = lambda _: Answer(body, **answer)
        return self.url + path

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        route = self.routes.get(urlsplit(request.path).path)
        return route(request) if route is not None else Answer(status=404)


@contextmanager
def open_store(certificate: Path, key: Path) -> Iterator[Store]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # named by the base class
            size = int(self.headers.get("Content-Length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, self.rfile.read(size))
            answer = store.answer(request)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if answer.waits:
                store.closing.wait()
            self.wfile.write(answer.body[: len(answer.body) - answer.cut])
            self.close_connection = True

        do_POST = do_GET  # noqa: N815  # named by the base class

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing: agents that give up end connections."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = Server(("127.0.0.1", 0), Handler)
    store = Store(server.server_port)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield store
    finally:
        store.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def signed(body: bytes, secret: str) -> Route:
    """Answers those who sign with a key of the bucket, `lab` in the region `eu-test-1` (AWS Signature Version 4)."""

    def answer(request: Request) -> Answer:
        is_theirs = request.headers.get("authorization") == _authorization(request, secret)
        return Answer(body) if is_theirs else Answer(status=403)

    return answer


def _authorization(request: Request, secret: str) -> str:
    """As the store computes it, from what arrived."""
    names = "host;x-amz-content-sha256;x-amz-date"
    lines = "".join(f"{name}:{request.headers[name]}\n" for name in names.split(";"))
    canonical = f"GET\n{request.path}\n\n{lines}\n{names}\n{hashlib.sha256(b'').hexdigest()}"
    moment = request.headers["x-amz-date"]
    scope = f"{moment[:8]}/eu-test-1/s3/aws4_request"
    key = f"AWS4{secret}".encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return (
        f"AWS4-HMAC-SHA256 Credential=lab/{scope}, SignedHeaders={names}, "
        f"Signature={hmac.digest(key, text.encode(), 'sha256').hex()}"
    )


class Broker:
    """A KBS: gives keys to those whose evidence is over its nonce and their key.

    Attributes:
        is_wrapping: Keys go out as JWE to the key that was attested; plain otherwise.
    """

    def __init__(self, store: Store, keys: dict[str, bytes], *, is_wrapping: bool = True) -> None:
        self.url = store.url
        self.keys = keys
        self.is_wrapping = is_wrapping
        self._nonce = encoded(os.urandom(16))
        self._token = encoded(os.urandom(16))
        self._peer: ec.EllipticCurvePublicKey | None = None
        store.routes["/kbs/v0/auth"] = lambda _: _json({"nonce": self._nonce})
        store.routes["/kbs/v0/attest"] = self._attest
        for name in keys:
            store.routes[f"/kbs/v0/resource/{name}"] = self._resource

    def _attest(self, request: Request) -> Answer:
        proof = json.loads(request.body)
        data = proof["runtime-data"]
        report = Evidence.parse(base64.b64decode(proof["tee-evidence"])).report
        canonical = json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
        if data["nonce"] != self._nonce or report.report_data[:48] != hashlib.sha384(canonical).digest():
            return Answer(status=401)
        jwk = data["tee-pubkey"]
        point = b"\x04" + decoded(jwk["x"]) + decoded(jwk["y"])
        self._peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        return _json({"token": self._token})

    def _resource(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self._token}":
            return Answer(status=401)
        key = self.keys[request.path.removeprefix("/kbs/v0/resource/")]
        if not self.is_wrapping:
            return Answer(key)
        assert self._peer is not None
        return Answer(seal_jwe(key, self._peer))


def _json(document: object) -> Answer:
    return Answer(json.dumps(document).encode())


def seal_jwe(plain: bytes, to: ec.EllipticCurvePublicKey) -> bytes:
    own = ec.generate_private_key(ec.SECP256R1())
    numbers = own.public_key().public_numbers()
    epk = {
        "kty": "EC",
        "crv": "P-256",
        "x": encoded(numbers.x.to_bytes(32)),
        "y": encoded(numbers.y.to_bytes(32)),
    }
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "epk": epk}
    protected = encoded(json.dumps(header).encode())
    content_key, iv = os.urandom(32), os.urandom(12)
    wrapping = agreed_key(own.exchange(ec.ECDH(), to), "ECDH-ES+A256KW", 256)
    sealed = AESGCM(content_key).encrypt(iv, plain, protected.encode())
    members = {
        "protected": protected,
        "encrypted_key": encoded(aes_key_wrap(wrapping, content_key)),
        "iv": encoded(iv),
        "ciphertext": encoded(sealed[:-16]),
        "tag": encoded(sealed[-16:]),
    }
    return json.dumps(members).encode()


def sealed_file(plain: bytes, key: bytes) -> bytes:
    nonce = os.urandom(12)
    return nonce + AESGCM(key).encrypt(nonce, plain, None)


def layer_of(entries: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for entry, data in entries:
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(packed.getvalue())


def file_entry(name: str, data: bytes, mode: int = 0o644) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    entry.mode = mode
    return entry, data


_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def push_image(store: Store, *layers: bytes, repository: str = "lab/algo", media_type: str = _LAYER) -> str:
    """Serve an image behind a token, lowest layer first; gives its name by digest."""
    base = f"/v2/{repository}"
    token = "token-of-the-registry"

    def guarded(body: bytes) -> Route:
        def answer(request: Request) -> Answer:
            if request.headers.get("authorization") == f"Bearer {token}":
                return Answer(body)
            challenge = f'Bearer realm="{store.url}/token",service="registry"'
            return Answer(status=401, headers={"WWW-Authenticate": challenge})

        return answer

    def give_token(request: Request) -> Answer:
        assert f"repository%3A{repository.replace('/', '%2F')}%3Apull" in request.path
        return _json({"token": token})

    store.routes["/token"] = give_token
    named = []
    for layer in layers:
        digest = f"sha256:{hashlib.sha256(layer).hexdigest()}"
        store.routes[f"{base}/blobs/{digest}"] = guarded(layer)
        named.append({"mediaType": media_type, "digest": digest})
    manifest = json.dumps({"schemaVersion": 2, "layers": named}).encode()
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    store.routes[f"{base}/manifests/{digest}"] = guarded(manifest)
    return f"docker://{store.host}/{repository}@{digest}"


def push_index(store: Store, entries: list[dict[str, Any]], repository: str = "lab/algo") -> str:
    """Serve an index of images of a repository; gives its name by digest."""
    index = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    digest = f"sha256:{hashlib.sha256(index).hexdigest()}"
    store.serve(f"/v2/{repository}/manifests/{digest}", index)
    return f"docker://{store.host}/{repository}@{digest}"

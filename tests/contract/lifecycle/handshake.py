"""A TLS handshake at any time: OpenSSL on both sides, with the clock that a test gives to each."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL, crypto

from prism_iac.model.resources import CertificateBundle
from prism_iac.pki import load_certificates

_MOST_FLIGHTS = 8


class Refused(Exception):
    """One side does not accept the other."""


def shake_hands(agent: CertificateBundle, client: CertificateBundle, *, now: datetime) -> None:
    """Connect a client with the files of one bundle to an agent with those of another.

    The client checks the agent's chain, dates and name; so does the agent for a client that has a certificate.

    Raises:
        Refused: They do not come together.
    """
    sides = {
        "agent": SSL.Connection(_context(SSL.TLS_SERVER_METHOD, agent, "server", now)),
        "client": SSL.Connection(_context(SSL.TLS_CLIENT_METHOD, client, "client", now)),
    }
    sides["agent"].set_accept_state()
    sides["client"].set_connect_state()
    waiting = set(sides)
    for _ in range(_MOST_FLIGHTS):
        for name in ("client", "agent"):
            _advance(name, sides[name], waiting)
        _carry(sides["client"], sides["agent"])
        _carry(sides["agent"], sides["client"])
        if not waiting:
            break
    assert not waiting, f"the handshake of {waiting} did not end"
    # In TLS 1.3 a client is done before the agent has seen its certificate.
    sides["agent"].send(b"x")
    _carry(sides["agent"], sides["client"])
    assert sides["client"].recv(1) == b"x"
    shown = sides["client"].get_peer_certificate(as_cryptography=True)
    assert shown is not None
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if "localhost" not in names.get_values_for_type(x509.DNSName):
        raise Refused("the agent's certificate is of another name")


def _context(method: int, bundle: CertificateBundle, leaf: str, now: datetime) -> SSL.Context:
    context = SSL.Context(method)
    store = context.get_cert_store()
    assert store is not None
    assert bundle.ca_certificate is not None
    for authority in load_certificates(bundle.ca_certificate.encode()):
        store.add_cert(crypto.X509.from_cryptography(authority))
    store.set_time(now)
    certificate, key = getattr(bundle, f"{leaf}_certificate"), getattr(bundle, f"{leaf}_key")
    if certificate is not None:
        own, *intermediates = load_certificates(certificate.encode())
        context.use_certificate(own)
        for item in intermediates:
            context.add_extra_chain_cert(item)
        private_key = load_pem_private_key(key.encode(), None)
        assert isinstance(private_key, ec.EllipticCurvePrivateKey)
        context.use_privatekey(private_key)
    if leaf == "client" or bundle.client_certificate is not None:
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)
    return context


def _advance(name: str, side: SSL.Connection, waiting: set[str]) -> None:
    if name not in waiting:
        return
    try:
        side.do_handshake()
    except SSL.WantReadError:
        return
    except SSL.Error as error:
        raise Refused(f"{name}: {error}") from error
    waiting.remove(name)


def _carry(source: SSL.Connection, destination: SSL.Connection) -> None:
    try:
        destination.bio_write(source.bio_read(1 << 16))
    except SSL.WantReadError:
        return

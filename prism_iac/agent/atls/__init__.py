"""Attested TLS: a connection whose far end proves, before the first byte of a call, what VM it is.

Main entries: `demand_proof` for participants, `Prover` for the agent, `TlsStream` for both. TLS 1.3 by
pyOpenSSL, because neither gRPC nor the standard library gives the exporter that evidence is bound to; calls go
through as they are. Both sides of the agent use it, and it imports neither; time and randomness are passed in,
and so are sockets.
"""

from prism_iac.agent.atls._certified import NONCE_BYTES, name_of
from prism_iac.agent.atls._contexts import client_context, server_context
from prism_iac.agent.atls._demand import check_certified, demand_proof
from prism_iac.agent.atls._prover import Attest, Prover, fresh_pair
from prism_iac.agent.atls._request import CONTEXT_BYTES
from prism_iac.agent.atls._stream import StreamEnded, TlsStream, reasons_of

__all__ = [
    "CONTEXT_BYTES",
    "NONCE_BYTES",
    "Attest",
    "Prover",
    "StreamEnded",
    "TlsStream",
    "check_certified",
    "client_context",
    "demand_proof",
    "fresh_pair",
    "name_of",
    "reasons_of",
    "server_context",
]

"""What measuring a launch gives: the digest, and what went into it."""

from __future__ import annotations

from prism_iac.attestation.measurement._value import Value

__all__ = ["Measurement", "Part"]


class Part(Value):
    """One thing that went into a measurement.

    Attributes:
        name: What it is.
        detail: How it was measured.
        digest: A hash of it; empty where all of it stands in `detail`.
    """

    name: str
    detail: str
    digest: bytes = b""


class Measurement(Value):
    """What a processor reports of a launch, and why it is that: other parts, another digest.

    Attributes:
        digest: 48 bytes; 32 of SEV and SEV-ES.
        parts: What went into it, in its order.
    """

    digest: bytes
    parts: tuple[Part, ...]

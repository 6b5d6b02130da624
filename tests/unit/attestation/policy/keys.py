"""Keys that are the same on every machine, and the samples that are made with them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from prism_iac.attestation.policy import PolicyFile, PolicyForm
from prism_iac.pki import PrivateKey

SAMPLES: Final = Path(__file__).parent / "samples"
SIGNER: Final = "Ada"

KEYS: Final[dict[str, PrivateKey]] = {
    "es256": ec.derive_private_key(7, ec.SECP256R1()),
    "es384": ec.derive_private_key(7, ec.SECP384R1()),
    "es512": ec.derive_private_key(7, ec.SECP521R1()),
    "eddsa": ed25519.Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\x07"),
}


def sample(name: str) -> PolicyFile:
    return PolicyFile.parse((SAMPLES / name).read_bytes())


def made() -> dict[str, bytes]:
    """The samples that this package makes, by name."""
    host, tdx = sample("host-tool.json"), sample("tdx.json")
    corim = host.converted(PolicyForm.CORIM)
    return {
        "host-tool.corim": corim.to_bytes(),
        "host-tool.amd.corim": host.converted(PolicyForm.CORIM_AMD).to_bytes(),
        "tdx.corim": tdx.converted(PolicyForm.CORIM).to_bytes(),
        **{f"host-tool.{name}": corim.sign(key, signer=SIGNER).to_bytes() for name, key in KEYS.items()},
    }


if __name__ == "__main__":
    for name, data in made().items():
        (SAMPLES / name).write_bytes(data)

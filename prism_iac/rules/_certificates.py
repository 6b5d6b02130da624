"""Rules about certificates: their keys, their life and their renewal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from prism_iac.model import parse_duration
from prism_iac.model.resources import KeyAlgorithm, KeysOnRenewal
from prism_iac.model.stack import StackFile
from prism_iac.rules._rule import Breach, Parameters

__all__ = ["fresh_keys", "renewal_window", "short_lives", "strong_keys"]


def strong_keys(file: StackFile, parameters: Parameters) -> Iterator[Breach]:
    """RSA keys with fewer than `rsa_bits`; keys on elliptic curves are strong enough in every size."""
    least = parameters["rsa_bits"]
    for name, bundle in file.certificates.items():
        if bundle.key.algorithm is KeyAlgorithm.RSA and (bundle.key.size or 0) < least:
            yield Breach(
                ("certificates", name, "key", "size"),
                f"an RSA key has {bundle.key.size} bits, and {least} are the least here",
                "Say `key: {algorithm: ecdsa}`, or a larger size.",
            )


def renewal_window(file: StackFile, parameters: Parameters) -> Iterator[Breach]:
    """Certificates that are renewed later than `days` before their end."""
    days = parameters["days"]
    for name, bundle in file.certificates.items():
        if parse_duration(bundle.renew_before) < timedelta(days=days):
            yield Breach(
                ("certificates", name, "renew_before"),
                f"certificates are renewed {bundle.renew_before} before their end, and {days}d are the least here",
                f"Say `renew_before: {days}d`.",
            )


def short_lives(file: StackFile, parameters: Parameters) -> Iterator[Breach]:
    """Certificates that are valid for longer than `days`."""
    days = parameters["days"]
    for name, bundle in file.certificates.items():
        if parse_duration(bundle.validity) > timedelta(days=days):
            yield Breach(
                ("certificates", name, "validity"),
                f"certificates are valid for {bundle.validity}, and {days}d are the most here",
                f"Say `validity: {days}d`.",
            )


def fresh_keys(file: StackFile, _: Parameters) -> Iterator[Breach]:
    """Bundles that keep their keys when they are renewed."""
    for name, bundle in file.certificates.items():
        if bundle.keys_on_renewal is KeysOnRenewal.REUSE:
            yield Breach(
                ("certificates", name, "keys_on_renewal"),
                "a renewal keeps the keys, so a stolen key stays useful",
                "Remove it: a renewal makes new keys.",
            )

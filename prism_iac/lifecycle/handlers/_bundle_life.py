"""How long the certificates of a bundle live that others made."""

from __future__ import annotations

from prism_iac.model.resources import CertificateBundle

__all__ = ["with_life"]


def with_life(bundle: CertificateBundle) -> CertificateBundle:
    """The bundle with the time in which each of its certificates is valid; as it is where it has none.

    Raises:
        InvalidInput: One is not a certificate.
    """
    from prism_iac.pki import load_certificates

    made = [pem for pem in (bundle.server_certificate, bundle.client_certificate) if pem is not None]
    if not made:
        return bundle
    leaves = [load_certificates(pem.encode())[0] for pem in made]
    return bundle.with_(
        not_before=max(leaf.not_valid_before_utc for leaf in leaves).isoformat(),
        not_after=min(leaf.not_valid_after_utc for leaf in leaves).isoformat(),
    )

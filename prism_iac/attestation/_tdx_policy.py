"""What a policy for TDX expects, typed.

Keys are read in both spellings; null and empty fields are absent ones. Source: attestation.md section 4.5
(checkconfig.proto of go-tdx-guest, in the JSON that its tools write).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StrictBool, StrictStr, ValidationError

from prism_iac.attestation._policy_values import (
    U16,
    Octets8,
    Octets16,
    Octets48,
    Octets64,
    OctetsOrSkip48,
    QuoteVendor,
    TdxVendor,
)
from prism_iac.attestation._snp_policy import PolicySection
from prism_iac.model import findings_of

__all__ = ["BodyPolicy", "HeaderPolicy", "QuotePolicy", "TdxPolicy", "TdxRootOfTrust"]


class HeaderPolicy(PolicySection):
    """The reference values of a quote's header."""

    minimum_qe_svn: U16 | None = None
    minimum_pce_svn: U16 | None = None
    qe_vendor_id: Octets16 | None = None


class BodyPolicy(PolicySection):
    """The reference values of a trust domain; lengths as in `TdReport`."""

    minimum_tee_tcb_svn: Octets16 | None = None
    mr_seam: Octets48 | None = None
    td_attributes: Octets8 | None = None
    xfam: Octets8 | None = None
    mr_td: Octets48 | None = None
    mr_config_id: Octets48 | None = None
    mr_owner: Octets48 | None = None
    mr_owner_config: Octets48 | None = None
    rtmrs: Annotated[tuple[OctetsOrSkip48, ...], Field(min_length=4, max_length=4)] | None = None
    report_data: Octets64 | None = None
    any_mr_td: tuple[Octets48, ...] = ()
    enable_td_debug_check: StrictBool = False


class QuotePolicy(PolicySection):
    """The reference values of a quote."""

    header_policy: HeaderPolicy = HeaderPolicy()
    td_quote_body_policy: BodyPolicy = BodyPolicy()


class TdxRootOfTrust(PolicySection):
    """Whose quotes count, and whether revocation and Intel's documents do.

    Where roots come from is the choice of whoever verifies; paths and bundles are read for their form alone.
    `product` is this package's own; it is absent where the policy is for hardware.
    """

    product: QuoteVendor = TdxVendor.INTEL
    cabundle_paths: tuple[StrictStr, ...] = ()
    cabundles: tuple[StrictStr, ...] = ()
    check_crl: StrictBool = False
    get_collateral: StrictBool = False


class TdxPolicy(PolicySection):
    """A whole policy file for TDX."""

    policy: QuotePolicy = QuotePolicy()
    root_of_trust: TdxRootOfTrust = TdxRootOfTrust()

    @property
    def body(self) -> BodyPolicy:
        """The reference values of the trust domain."""
        return self.policy.td_quote_body_policy

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> TdxPolicy:
        """The policy that a file's JSON values mean (attestation.md section 4.5).

        Raises:
            InvalidInput: With every field of the wrong type, length or range, or spelled in both ways.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise findings_of(error, cls) from None

"""What a policy for SEV-SNP expects, typed.

Keys are read in both spellings (`host_data` and `hostData`); null and empty fields are absent ones. Source:
attestation.md sections 3.7 and 5.1 (check.proto of go-sev-guest, in the JSON that its tools write).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, StrictBool, StrictStr, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from prism_iac.attestation._policy_values import (
    U8,
    U32,
    U64,
    CertifiedKey,
    ExpiryDate,
    FirmwareVersion,
    Octets16,
    Octets32,
    Octets48,
    Octets64,
    PcrNumber,
    ProductLine,
    ProductName,
    Sha1Hex,
    Sha256Hex,
    Sha384Hex,
    TcbNumber,
    Vmpl,
)
from prism_iac.attestation.snp._product import Product
from prism_iac.errors import Finding
from prism_iac.model import Refusal, findings_of

__all__ = [
    "Acceptance",
    "Expectations",
    "ExpectedProduct",
    "PcrValues",
    "PolicySection",
    "RootOfTrust",
    "SnpPolicy",
]

_ABSENT: Final[tuple[Any, ...]] = (None, "", [], {})


class PolicySection(BaseModel):
    """One object of a policy file; keys that mean nothing here are kept aside."""

    model_config = ConfigDict(
        frozen=True, extra="allow", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _one_spelling_each(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        for name in filter(values.__contains__, cls.model_fields):
            other = to_camel(name)
            if other != name and other in values:
                raise Refusal(f"{name} stands here in both spellings", f"Keep {other} alone.")
        return {key: value for key, value in values.items() if value not in _ABSENT}

    def unknown(self, path: str = "") -> Iterator[str]:
        """The paths of the keys that mean nothing here."""
        yield from (path + key for key in self.model_extra or {})
        for name in type(self).model_fields:
            if isinstance(section := getattr(self, name), PolicySection):
                yield from section.unknown(f"{path}{name}.")

    def not_understood(self) -> Iterator[Finding]:
        """A finding for each of these keys: what is not known cannot be checked, so it must not be passed over."""
        for path in self.unknown():
            yield Finding(
                path=path,
                message="the policy expects something that is not known here, so it cannot be checked",
                fix="Correct the name, or remove the field.",
            )


class ExpectedProduct(PolicySection):
    """The product, and its stepping where the policy pins one."""

    name: ProductName = None
    stepping: U8 | None = None
    machine_stepping: U8 | None = None


class Expectations(PolicySection):
    """The reference values; None, False or empty where the file has none. Lengths as in `SnpReport`."""

    minimum_guest_svn: U32 | None = None
    policy: U64 | None = None
    family_id: Octets16 | None = None
    image_id: Octets16 | None = None
    vmpl: Vmpl | None = None
    minimum_tcb: TcbNumber | None = None
    minimum_launch_tcb: TcbNumber | None = None
    platform_info: U64 | None = None
    require_author_key: StrictBool = False
    report_data: Octets64 | None = None
    measurement: Octets48 | None = None
    host_data: Octets32 | None = None
    report_id: Octets32 | None = None
    report_id_ma: Octets32 | None = None
    chip_id: Octets64 | None = None
    minimum_build: U8 | None = None
    minimum_version: FirmwareVersion | None = None
    permit_provisional_firmware: StrictBool = False
    require_id_block: StrictBool = False
    trusted_author_keys: tuple[CertifiedKey, ...] = ()
    trusted_author_key_hashes: tuple[Octets48, ...] = ()
    trusted_id_keys: tuple[CertifiedKey, ...] = ()
    trusted_id_key_hashes: tuple[Octets48, ...] = ()
    product: ExpectedProduct = ExpectedProduct()


class RootOfTrust(PolicySection):
    """Which roots the policy's author had in mind, and whether revocation counts.

    Where roots come from is the choice of whoever verifies; paths and bundles are read for their form alone.
    """

    product: ProductLine | None = None
    product_line: ProductLine | None = None
    check_crl: StrictBool = False
    disallow_network: StrictBool = False
    cabundle_paths: tuple[StrictStr, ...] = ()
    cabundles: tuple[StrictStr, ...] = ()


class PcrValues(PolicySection):
    """Expected PCRs by bank and number; they need a TPM quote."""

    sha1: dict[PcrNumber, Sha1Hex] = {}
    sha256: dict[PcrNumber, Sha256Hex] = {}
    sha384: dict[PcrNumber, Sha384Hex] = {}

    def __bool__(self) -> bool:
        return bool(self.sha1 or self.sha256 or self.sha384)


class Acceptance(PolicySection):
    """What is accepted besides, for a change-over; this package's own, other tools hold to the rest.

    `measurements` are as good as the one that is expected. A field in `warn_until` is not enforced until the end
    of that day, UTC.
    """

    measurements: tuple[Octets48, ...] = ()
    warn_until: dict[StrictStr, ExpiryDate] = {}


class SnpPolicy(PolicySection):
    """A whole policy file for SEV-SNP."""

    policy: Expectations = Expectations()
    root_of_trust: RootOfTrust = RootOfTrust()
    pcr_values: PcrValues = PcrValues()
    acceptance: Acceptance = Acceptance()

    @property
    def product(self) -> Product | None:
        """The product that it is about; None when it names none."""
        return self.policy.product.name or self.root_of_trust.product_line or self.root_of_trust.product

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> SnpPolicy:
        """The policy that a file's JSON values mean.

        Raises:
            InvalidInput: With every field of the wrong type, length or range, or spelled in both ways.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise findings_of(error, cls) from None

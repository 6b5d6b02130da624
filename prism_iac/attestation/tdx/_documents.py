"""What Intel says about platforms and quoting enclaves: signed JSON, kept to the byte.

Source: Intel PCS API version 4, TDX TCB info and enclave identity; attestation.md section 4.4 (steps 9 to 14).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from json.decoder import WHITESPACE  # type: ignore[attr-defined]  # what the decoder itself skips
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from prism_iac.errors import Finding, InvalidInput

__all__ = ["QeIdentity", "Signed", "SvnLevel", "TcbInfo", "TcbLevel", "TcbStatus", "parse_document"]


class TcbStatus(StrEnum):
    """What Intel says of a TCB level."""

    UP_TO_DATE = "UpToDate"
    SW_HARDENING_NEEDED = "SWHardeningNeeded"
    CONFIGURATION_NEEDED = "ConfigurationNeeded"
    CONFIGURATION_AND_SW_HARDENING_NEEDED = "ConfigurationAndSWHardeningNeeded"
    OUT_OF_DATE = "OutOfDate"
    OUT_OF_DATE_CONFIGURATION_NEEDED = "OutOfDateConfigurationNeeded"
    REVOKED = "Revoked"


def _hexadecimal(size: int) -> Any:
    def read(value: Any) -> bytes:
        octets = bytes.fromhex(value) if isinstance(value, str) else b""
        if len(octets) != size:
            raise ValueError(f"must be {size} bytes as hexadecimal text")
        return octets

    return BeforeValidator(read)


_Hex2 = Annotated[bytes, _hexadecimal(2)]
_Hex4 = Annotated[bytes, _hexadecimal(4)]
_Hex6 = Annotated[bytes, _hexadecimal(6)]
_Hex8 = Annotated[bytes, _hexadecimal(8)]
_Hex16 = Annotated[bytes, _hexadecimal(16)]
_Hex32 = Annotated[bytes, _hexadecimal(32)]
_Hex48 = Annotated[bytes, _hexadecimal(48)]
_U16 = Annotated[int, Field(ge=0, le=0xFFFF, strict=True)]
_U8 = Annotated[int, Field(ge=0, le=0xFF, strict=True)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, hide_input_in_errors=True)


class _Component(_Part):
    svn: _U8


_Components = Annotated[tuple[_Component, ...], Field(min_length=16, max_length=16)]


class _PlatformTcb(_Part):
    sgx: _Components = Field(alias="sgxtcbcomponents")
    tdx: _Components = Field(alias="tdxtcbcomponents")
    pce_svn: _U16 = Field(alias="pcesvn")


class _EnclaveTcb(_Part):
    isv_svn: _U16 = Field(alias="isvsvn")


class TcbLevel(_Part):
    """A level of a platform: what a platform needs to be on it, and what Intel says of it."""

    tcb: _PlatformTcb
    tcb_status: TcbStatus


class SvnLevel(_Part):
    """A level of a module or an enclave, which has one number."""

    tcb: _EnclaveTcb
    tcb_status: TcbStatus


class _Module(_Part):
    mr_signer: _Hex48 = Field(alias="mrsigner")
    attributes: _Hex8
    attributes_mask: _Hex8


class _ModuleIdentity(_Module):
    id: str
    tcb_levels: tuple[SvnLevel, ...]


class TcbInfo(_Part):
    """Of one kind of platform; levels stand in descending order."""

    id: Literal["TDX"]
    version: Literal[3]
    issue_date: AwareDatetime
    next_update: AwareDatetime
    fmspc: _Hex6
    pce_id: _Hex2
    tdx_module: _Module
    tdx_module_identities: tuple[_ModuleIdentity, ...] = ()
    tcb_levels: tuple[TcbLevel, ...]


class QeIdentity(_Part):
    """Of the quoting enclave; levels stand in descending order."""

    id: Literal["TD_QE"]
    version: Literal[2]
    issue_date: AwareDatetime
    next_update: AwareDatetime
    misc_select: _Hex4 = Field(alias="miscselect")
    misc_select_mask: _Hex4 = Field(alias="miscselectMask")
    attributes: _Hex16
    attributes_mask: _Hex16
    mr_signer: _Hex32 = Field(alias="mrsigner")
    isv_prod_id: _U16 = Field(alias="isvprodid")
    tcb_levels: tuple[SvnLevel, ...]


D_co = TypeVar("D_co", bound=TcbInfo | QeIdentity, covariant=True)


@dataclass(frozen=True, slots=True)
class Signed(Generic[D_co]):
    """A document and its signature; it proves nothing until that is verified.

    Attributes:
        value: What it says.
        raw: The bytes that are signed.
        signature: r and s, 32 bytes each, big-endian.
    """

    value: D_co
    raw: bytes
    signature: bytes

    def is_current(self, now: datetime) -> bool:
        """Whether it speaks of this time (attestation.md section 4.4, step 9)."""
        return self.value.issue_date <= now <= self.value.next_update


_KINDS: Final[Mapping[str, type[TcbInfo | QeIdentity]]] = {
    "tcbInfo": TcbInfo,
    "enclaveIdentity": QeIdentity,
}


def parse_document(data: bytes) -> Signed[TcbInfo | QeIdentity]:
    """TCB info or an enclave identity, as Intel's service answers it (attestation.md section 4.4, step 9).

    Raises:
        InvalidInput: It is neither, or a field is missing or of the wrong form.
    """
    try:
        raw = _raw_values(data.decode())
        (name,) = _KINDS.keys() & raw.keys()
        signature = bytes.fromhex(json.loads(raw["signature"]))
        value = _KINDS[name].model_validate_json(raw[name])
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
        raise InvalidInput(
            [
                Finding(
                    path="collateral",
                    message="this is neither TCB info nor an enclave identity of Intel",
                    fix="Download it again from Intel's provisioning certification service.",
                )
            ]
        ) from error
    return Signed(value, raw[name].encode(), signature)


def _raw_values(text: str) -> dict[str, str]:
    """The text of each value of a JSON object, to the byte."""
    decoder = json.JSONDecoder()
    found: dict[str, str] = {}
    position = _skip(text, 0)
    mark = "{"
    while True:
        if text[position : position + 1] != mark:
            raise ValueError("not a JSON object")
        name, position = decoder.raw_decode(text, _skip(text, position + 1))
        position = _skip(text, position)
        if not isinstance(name, str) or name in found or text[position : position + 1] != ":":
            raise ValueError("not a JSON object, or a name stands there twice")
        begin = _skip(text, position + 1)
        _, end = decoder.raw_decode(text, begin)
        found[name] = text[begin:end]
        position, mark = _skip(text, end), ","
        if text[position : position + 1] == "}":
            if text[position + 1 :].strip():
                raise ValueError("text follows the JSON object")
            return found


def _skip(text: str, position: int) -> int:
    match = WHITESPACE.match(text, position)
    return int(match.end())

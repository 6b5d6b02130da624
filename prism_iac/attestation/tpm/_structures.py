"""The structures of TPM 2.0 that a quote consists of, big-endian.

Source: TPM 2.0 Library revision 1.59, part 2 (Structures): §6.3 (TPM_ALG_ID), §6.4 (TPM_ECC_CURVE), §8.3
(TPMA_OBJECT), §10.12.12 (TPMS_ATTEST), §11.3.4 (TPMT_SIGNATURE), §12.2.4 (TPMT_PUBLIC).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import Final, TypeVar

from prism_iac.attestation._reader import ByteReader
from prism_iac.errors import Finding, InvalidInput

__all__ = [
    "AK_ATTRIBUTES",
    "AttestedQuote",
    "Curve",
    "HashAlgorithm",
    "KeyKind",
    "PublicArea",
    "Scheme",
    "Signature",
    "encode_selection",
    "sized",
]

N = TypeVar("N", bound=IntEnum)

_MAGIC: Final = 0xFF544347
_QUOTE: Final = 0x8018
_NULL: Final = 0x0010
_MOST_SELECTIONS: Final = 16
_MOST_PCRS: Final = 32

_ATTEST_HEAD: Final = Struct(">IH")
_CLOCK: Final = Struct(">QIIBQ")
_U8: Final = Struct(">B")
_U16: Final = Struct(">H")
_TOO_LONG: Final = "bytes follow a structure of the TPM"
_U32: Final = Struct(">I")


class HashAlgorithm(IntEnum):
    """TPM_ALG_ID of hash functions."""

    SHA1 = 0x0004
    SHA256 = 0x000B
    SHA384 = 0x000C
    SHA512 = 0x000D

    @property
    def label(self) -> str:
        """The name that policy files and `hashlib` use."""
        return self.name.lower()


class Scheme(IntEnum):
    """TPM_ALG_ID of signature schemes."""

    RSASSA = 0x0014
    RSAPSS = 0x0016
    ECDSA = 0x0018


class KeyKind(IntEnum):
    """TPM_ALG_ID of keys."""

    RSA = 0x0001
    ECC = 0x0023


class Curve(IntEnum):
    """TPM_ECC_CURVE."""

    P256 = 0x0003
    P384 = 0x0004


_FIXED_TPM, _FIXED_PARENT, _ORIGIN, _RESTRICTED, _DECRYPT, _SIGN = (1 << bit for bit in (1, 4, 5, 16, 17, 18))

AK_ATTRIBUTES: Final = _FIXED_TPM | _FIXED_PARENT | _ORIGIN | _RESTRICTED | _SIGN
"""What an attestation key must be: made in the TPM, never to leave it, signing only what the TPM made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestedQuote:
    """TPMS_ATTEST of a quote.

    Attributes:
        qualified_signer: The name of the key that signed, with its parents.
        extra_data: What the relying party sent.
        clock: Milliseconds; then how often the TPM was reset and restarted, and whether the clock is safe.
        firmware_version: 64 bits, the maker's.
        selections: The registers that were quoted, by bank.
        pcr_digest: Of their values, one behind the other.
    """

    qualified_signer: bytes = b""
    extra_data: bytes
    clock: int = 0
    reset_count: int = 0
    restart_count: int = 0
    is_clock_safe: bool = True
    firmware_version: int = 0
    selections: tuple[tuple[HashAlgorithm, tuple[int, ...]], ...]
    pcr_digest: bytes

    @classmethod
    def parse(cls, data: bytes) -> AttestedQuote:
        """A quote from what the TPM signed (part 2 §10.12.12).

        Raises:
            InvalidInput: It is cut off, or attests something else than registers.
        """
        reader = _reader(data)
        magic, kind = reader.unpack(_ATTEST_HEAD)
        _require(magic == _MAGIC and kind == _QUOTE, "this is no quote that a TPM made")
        signer, extra = reader.sized(_U16), reader.sized(_U16)
        clock, resets, restarts, is_safe, firmware = reader.unpack(_CLOCK)
        _require(is_safe in (0, 1), "the clock of the quote is neither safe nor unsafe")
        (count,) = reader.unpack(_U32)
        _require(count <= _MOST_SELECTIONS, "the quote has too many banks")
        selections = tuple(_selection(reader) for _ in range(count))
        digest = reader.sized(_U16)
        reader.end(_TOO_LONG)
        return cls(
            qualified_signer=signer,
            extra_data=extra,
            clock=clock,
            reset_count=resets,
            restart_count=restarts,
            is_clock_safe=bool(is_safe),
            firmware_version=firmware,
            selections=selections,
            pcr_digest=digest,
        )

    def to_bytes(self) -> bytes:
        """What the TPM signs (part 2 §10.12.12)."""
        return b"".join(
            (
                _ATTEST_HEAD.pack(_MAGIC, _QUOTE),
                sized(self.qualified_signer),
                sized(self.extra_data),
                _CLOCK.pack(
                    self.clock,
                    self.reset_count,
                    self.restart_count,
                    self.is_clock_safe,
                    self.firmware_version,
                ),
                _U32.pack(len(self.selections)),
                *(encode_selection(bank, numbers) for bank, numbers in self.selections),
                sized(self.pcr_digest),
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicArea:
    """TPMT_PUBLIC of a signing key: its attributes, and the numbers of the key itself.

    Attributes:
        kind: RSA or ECC.
        attributes: TPMA_OBJECT, 32 bits.
        exponent: Of an RSA key; 65537 is written as 0. Else 0.
        curve: Of an ECC key, else None.
        numbers: The modulus, or x and y; big-endian.
    """

    kind: KeyKind
    name_algorithm: HashAlgorithm = HashAlgorithm.SHA256
    attributes: int
    exponent: int = 0
    curve: Curve | None = None
    numbers: tuple[bytes, ...]

    @classmethod
    def parse(cls, data: bytes) -> PublicArea:
        """A key from its public area (part 2 §12.2.4).

        Raises:
            InvalidInput: It is cut off, or a key of a kind that signs no quotes here.
        """
        reader = _reader(data)
        kind = _known(reader, KeyKind)
        name_algorithm = _known(reader, HashAlgorithm)
        (attributes,) = reader.unpack(_U32)
        reader.sized(_U16)  # the policy for its use
        _skip_scheme(reader, words=2)  # of symmetric encryption: bits and mode
        _skip_scheme(reader, words=1)  # of signatures: the hash
        exponent, curve = 0, None
        if kind is KeyKind.RSA:
            _, exponent = reader.unpack(_U16)[0], reader.unpack(_U32)[0]
            numbers: tuple[bytes, ...] = (reader.sized(_U16),)
        else:
            curve = _known(reader, Curve)
            _skip_scheme(reader, words=1)  # of key derivation: the hash
            numbers = (reader.sized(_U16), reader.sized(_U16))
        reader.end(_TOO_LONG)
        return cls(
            kind=kind,
            name_algorithm=name_algorithm,
            attributes=attributes,
            exponent=exponent,
            curve=curve,
            numbers=numbers,
        )

    def to_bytes(self) -> bytes:
        """Its bytes, for a key without a scheme and a policy of its own (part 2 §12.2.4)."""
        null = _U16.pack(_NULL)
        head = _U16.pack(self.kind) + _U16.pack(self.name_algorithm) + _U32.pack(self.attributes)
        if self.curve is None:
            bits = _U16.pack(8 * len(self.numbers[0]))
            details = null + null + bits + _U32.pack(self.exponent)
        else:
            details = null + null + _U16.pack(self.curve) + null
        return head + sized(b"") + details + b"".join(map(sized, self.numbers))

    @property
    def is_attestation_key(self) -> bool:
        """Whether it signs only what the TPM made."""
        return self.attributes & AK_ATTRIBUTES == AK_ATTRIBUTES and not self.attributes & _DECRYPT


@dataclass(frozen=True, slots=True)
class Signature:
    """TPMT_SIGNATURE.

    Attributes:
        scheme: How it was made.
        algorithm: The hash that was signed.
        numbers: The signature of RSA, or r and s.
    """

    scheme: Scheme
    algorithm: HashAlgorithm
    numbers: tuple[bytes, ...]

    @classmethod
    def parse(cls, data: bytes) -> Signature:
        """A signature from its bytes (part 2 §11.3.4).

        Raises:
            InvalidInput: It is cut off, or of a scheme that is not known here.
        """
        reader = _reader(data)
        scheme, algorithm = _known(reader, Scheme), _known(reader, HashAlgorithm)
        count = 2 if scheme is Scheme.ECDSA else 1
        signature = cls(scheme, algorithm, tuple(reader.sized(_U16) for _ in range(count)))
        reader.end(_TOO_LONG)
        return signature

    def to_bytes(self) -> bytes:
        """Its bytes (part 2 §11.3.4)."""
        head = _U16.pack(self.scheme) + _U16.pack(self.algorithm)
        return head + b"".join(map(sized, self.numbers))


def encode_selection(bank: HashAlgorithm, numbers: tuple[int, ...]) -> bytes:
    """TPMS_PCR_SELECTION (part 2 §10.6.2) of 24 registers."""
    bits = sum(1 << number for number in numbers)
    return _U16.pack(bank) + _U8.pack(3) + bits.to_bytes(3, "little")


def sized(data: bytes) -> bytes:
    """A TPM2B: the size and the bytes (part 2 §10.4)."""
    return _U16.pack(len(data)) + data


def _selection(reader: ByteReader) -> tuple[HashAlgorithm, tuple[int, ...]]:
    bank = _known(reader, HashAlgorithm)
    (size,) = reader.unpack(_U8)
    _require(size <= _MOST_PCRS // 8, "the quote has too many registers")
    bits = int.from_bytes(reader.take(size), "little")
    return bank, tuple(_set_bits(bits))


def _set_bits(bits: int) -> Iterator[int]:
    return (number for number in range(_MOST_PCRS) if bits >> number & 1)


def _reader(data: bytes) -> ByteReader:
    return ByteReader(data, _require, "a structure of the TPM is cut off")


def _known(reader: ByteReader, names: type[N]) -> N:
    (value,) = reader.unpack(_U16)
    _require(value in set(names), f"the algorithm {value:#06x} is not known here")
    return names(value)


def _skip_scheme(reader: ByteReader, *, words: int) -> None:
    (algorithm,) = reader.unpack(_U16)
    if algorithm != _NULL:
        reader.take(2 * words)


def _require(holds: bool, message: str) -> None:  # noqa: FBT001  # reads as a sentence
    if not holds:
        raise InvalidInput([Finding(path="tpm", message=message, fix="Fetch the evidence again.")])

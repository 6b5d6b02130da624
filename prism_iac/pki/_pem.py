"""PEM text as blocks, read leniently: files come from many tools.

Source: RFC 7468 (text before, between and after blocks is ignored); RFC 1421 §4.6 (header lines in a block).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from prism_iac.pki._findings import invalid

__all__ = ["PemBlock", "parse_pem"]

_BEGIN: Final = b"-----BEGIN "
_DASHES: Final = b"-----"


@dataclass(frozen=True, slots=True)
class PemBlock:
    """One block.

    Attributes:
        label: The words between the dashes, such as `PRIVATE KEY`.
        der: The decoded body; empty for an encrypted block.
        is_encrypted: The body can only be read with a passphrase.
        text: The block as it stands, when it is encrypted.
    """

    label: str
    der: bytes = field(repr=False)
    is_encrypted: bool = False
    text: bytes = field(default=b"", repr=False)


def parse_pem(data: bytes) -> tuple[PemBlock, ...]:
    """The blocks of PEM text, in order; none when there are none.

    Raises:
        InvalidInput: A block has no end or is not base64.
    """
    return tuple(_blocks(data))


def _blocks(data: bytes) -> Iterator[PemBlock]:
    position = 0
    while (begin := data.find(_BEGIN, position)) >= 0:
        label_begin = begin + len(_BEGIN)
        label_end = data.find(_DASHES, label_begin)
        label = data[label_begin:label_end]
        end_line = b"-----END " + label + _DASHES
        body_end = data.find(end_line, label_end)
        if label_end < 0 or body_end < 0:
            raise invalid("a PEM block has no end", "Copy the whole file, with its last line.")
        body, position = data[label_end + len(_DASHES) : body_end], body_end + len(end_line)
        yield _block(label.decode("ascii", "replace"), body, text=data[begin:position])


def _block(label: str, body: bytes, *, text: bytes) -> PemBlock:
    if label == "ENCRYPTED PRIVATE KEY" or b"Proc-Type:" in body:
        return PemBlock(label, b"", is_encrypted=True, text=text)
    try:
        return PemBlock(label, base64.b64decode(b"".join(body.split()), validate=True))
    except binascii.Error as error:
        raise invalid("a PEM block is not valid base64", "Copy the whole file again.") from error

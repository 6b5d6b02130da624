"""Decrypts a fetched file: AES-256-GCM, nonce (12 bytes), ciphertext, tag (16 bytes), no additional data.

Source: cocos-grpc.md section 4.5. The file is decrypted block by block, and nobody may use what comes out before
the end of it: the tag is checked last.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import GCM

from prism_iac.agent.server.sources._failure import FetchFailed
from prism_iac.agent.server.sources._http import Sink

__all__ = ["decrypt_file"]

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_BLOCK_BYTES: Final = 1 << 20


async def decrypt_file(path: Path, key: bytes, sink: Sink) -> None:
    """Write the plain bytes into a sink; valid when this returns.

    Raises:
        FetchFailed: The key is none, or not the one, or the file was changed.
    """
    if len(key) != _KEY_BYTES:
        raise FetchFailed(f"the key has {len(key)} bytes, not {_KEY_BYTES}")
    with path.open("rb") as file:
        left = os.fstat(file.fileno()).st_size - _NONCE_BYTES - _TAG_BYTES
        if left < 0:
            raise FetchFailed("the file is too short to be encrypted")
        nonce = file.read(_NONCE_BYTES)
        file.seek(-_TAG_BYTES, 2)
        tag = file.read(_TAG_BYTES)
        file.seek(_NONCE_BYTES)
        decryptor = Cipher(AES256(key), GCM(nonce, tag)).decryptor()
        while left:
            block = await asyncio.to_thread(file.read, min(left, _BLOCK_BYTES))
            left -= len(block)
            await sink.write(decryptor.update(block))
    try:
        await sink.write(decryptor.finalize())
    except InvalidTag as error:
        raise FetchFailed("the key is not the one, or the file was changed") from error

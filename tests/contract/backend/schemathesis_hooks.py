"""What schemathesis must be told of this API before it can ask."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.serializer("application/ocsp-request")
def as_it_is(_context: Any, value: Any) -> bytes:
    """A request of the OCSP protocol is bytes and no more."""
    return value if isinstance(value, bytes) else str(value).encode()

"""Objects of S3 and Google Cloud Storage as HTTPS requests.

Signed with AWS Signature Version 4 where the agent was given a key ("Signature Calculations for the Authorization
Header", Amazon S3 API Reference), anonymous otherwise. Agents of Cocos ask the Google client for both, and the AWS
variables have no effect there (cocos-grpc.md section 4.5).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlsplit

from prism_iac.agent.server.sources._failure import FetchFailed
from prism_iac.agent.server.sources._settings import AwsAccess

__all__ = ["gcs_url", "s3_request", "signed_headers"]

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()


def gcs_url(url: str, endpoint: str) -> str:
    """Where a public object of `gs://bucket/key` is.

    Args:
        url: What the manifest says.
        endpoint: The base URL of the store.

    Raises:
        FetchFailed: The URL names no object.
    """
    bucket, key = _bucket_and_key(url)
    return f"{endpoint}/{bucket}/{quote(key)}"


def s3_request(url: str, access: AwsAccess, now: datetime) -> tuple[str, dict[str, str]]:
    """The URL and the headers that ask for an object of `s3://bucket/key`.

    Args:
        url: What the manifest says.
        access: Who asks, and where.
        now: The time, aware and in UTC.

    Raises:
        FetchFailed: The URL names no object.
    """
    bucket, key = _bucket_and_key(url)
    amazon = f"s3.{access.region}.amazonaws.com"
    if access.endpoint:
        target = f"{access.endpoint}/{bucket}/{quote(key)}"
    elif "." in bucket:  # no certificate covers a name with further dots
        target = f"https://{amazon}/{bucket}/{quote(key)}"
    else:
        target = f"https://{bucket}.{amazon}/{quote(key)}"
    if not access.access_key_id:
        return target, {}
    return target, signed_headers(target, access, now)


def signed_headers(
    url: str, access: AwsAccess, now: datetime, headers: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The headers of a signed GET without a body: those given, those that the signature needs, and itself.

    Args:
        url: The whole URL, percent-encoded, its query in canonical order.
        access: Whose signature.
        now: The time, aware and in UTC.
        headers: Further ones to sign; names in lower case.
    """
    parts = urlsplit(url)
    moment = now.strftime("%Y%m%dT%H%M%SZ")
    signed = {
        "host": parts.netloc,
        "x-amz-content-sha256": _EMPTY_SHA256,
        "x-amz-date": moment,
        **({"x-amz-security-token": access.session_token} if access.session_token else {}),
        **(headers or {}),
    }
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name].strip()}\n" for name in sorted(signed))
    canonical = "\n".join(("GET", parts.path or "/", parts.query, lines, names, _EMPTY_SHA256))
    scope = f"{moment[:8]}/{access.region}/s3/aws4_request"
    to_sign = "\n".join((_ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = b"AWS4" + access.secret_access_key.encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    credential = f"{access.access_key_id}/{scope}"
    authorization = f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return {**signed, "authorization": authorization}


def _bucket_and_key(url: str) -> tuple[str, str]:
    # Not urlsplit: a key may hold "?" and "#".
    bucket, _, key = url.partition("://")[2].partition("/")
    if not bucket or not key:
        raise FetchFailed("the URL names no object of a bucket")
    return bucket, key

"""The files and requests that a bundle of certificates names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import Location, Refusal
from prism_iac.model.resources import BroughtFiles, CertificateSettings
from prism_iac.model.stack import mentions_secret
from prism_iac.pki import parse_request, read_brought
from prism_iac.spec._draft import Draft
from prism_iac.spec.checks._pem_file import open_to_others

__all__ = ["check_certificates"]

_FILES: Final = ("ca_certificate", "server_certificate", "server_key", "client_certificate", "client_key")
_KEYS: Final = ("server_key", "client_key")
_REQUESTS: Final = ("server_request", "client_request")


def check_certificates(draft: Draft) -> Iterator[Finding]:
    """Files that are not there, that cannot be read, or that a peer would refuse."""
    for name, settings in draft.certificates.items():
        location = ("certificates", name)
        if settings.files is not None:
            yield from _brought(draft, (*location, "files"), settings.files, settings)
        for field in _REQUESTS:
            if (as_written := getattr(settings, field)) is not None:
                yield from _read(draft, (*location, field), as_written, parse_request)


def _brought(
    draft: Draft, location: Location, files: BroughtFiles, settings: CertificateSettings
) -> Iterator[Finding]:
    given = files.model_dump(exclude_none=True)
    secrets = {field for field in given if mentions_secret(given[field])}
    if "passphrase" in given and "passphrase" not in secrets:
        yield draft.finding(
            (*location, "passphrase"),
            "a passphrase does not belong into a stack file",
            "Write `${secret.config.NAME}`, and run `pulumi config set --secret NAME`.",
        )
        return
    contents: dict[str, bytes] = {}
    named = [field for field in _FILES if field in given and field not in secrets]
    for field in named:

        def keep(data: bytes, field: str = field) -> None:
            contents[field] = data

        yield from _read(draft, (*location, field), getattr(files, field), keep, is_private=field in _KEYS)
    if list(contents) == named and not secrets:  # what is opened by a secret is looked at in a preview
        names = (*settings.dns_names, *settings.ip_addresses)
        yield from _findings(
            draft,
            location,
            lambda: read_brought(contents, passphrase=None, names=names, now=draft.now),
        )


def _read(
    draft: Draft,
    location: Location,
    as_written: str,
    use: Callable[[bytes], object],
    *,
    is_private: bool = False,
) -> Iterator[Finding]:
    try:
        path = draft.path(location, as_written)
        data = draft.inputs.read_key_file(path, as_written=as_written)
        if is_private:
            yield from open_to_others(draft, location, path, as_written)
    except Refusal as refusal:
        yield draft.refused(location, refusal)
        return
    yield from _findings(draft, location, lambda: use(data))


def _findings(draft: Draft, location: Location, act: Callable[[], object]) -> Iterator[Finding]:
    try:
        act()
    except InvalidInput as error:
        for item in error.findings:
            place = (*location, item.path) if item.path else location
            yield draft.finding(place, item.message, item.fix)

"""What a stack file was resolved to: rendered manifests, pins, and the lock file beside it.

Main entries: `render_manifest`, `resolve_pins`, `require_lock`. Reads the files that the stack names; no network, no
clock. Imports `attestation` and what is below it.
"""

from prism_iac.spec.lock._check import differences, require_lock
from prism_iac.spec.lock._checksums import restate_checksums
from prism_iac.spec.lock._file import Locked, edit_lock, lock_path, read_lock
from prism_iac.spec.lock._manifest import AssetDigests, render_manifest
from prism_iac.spec.lock._pins import resolve_pins

__all__ = [
    "AssetDigests",
    "Locked",
    "differences",
    "edit_lock",
    "lock_path",
    "read_lock",
    "render_manifest",
    "require_lock",
    "resolve_pins",
    "restate_checksums",
]

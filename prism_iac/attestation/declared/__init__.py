"""Policies as people declare them: what a launch measures, and the document that settings mean.

Main entries: `measure_launch`, `declared_document`. Reads the files that a launch names. Imports its siblings,
and of the package only `model` and `errors`.
"""

from prism_iac.attestation.declared._document import declared_document, with_settings
from prism_iac.attestation.declared._launch import MeasuredLaunch, measure_launch

__all__ = ["MeasuredLaunch", "declared_document", "measure_launch", "with_settings"]

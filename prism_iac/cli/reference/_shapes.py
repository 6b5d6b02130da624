"""Which document each command prints with `--json`, and how a document's shape is written."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Final, Union, get_args, get_origin, get_type_hints, is_typeddict

from prism_iac.cli._documents import (
    AppraisalDocument,
    CalendarDocument,
    CertificateDocument,
    ComputationDetails,
    ComputationDocument,
    EventDocument,
    EvidenceDocument,
    FindingDocument,
    ImportDocument,
    InstanceDocument,
    IssuedCertificateDocument,
    LogDocument,
    MeasurementDocument,
    OriginDocument,
    PolicyFileDocument,
    RenderedManifestDocument,
    ReportDocument,
    RuleDocument,
    RunDocument,
    TrialDocument,
    TrustChangeDocument,
    VmDetails,
    VmDocument,
    VmImageDocument,
)

__all__ = ["DOCUMENTS", "shape_of"]

DOCUMENTS: Final[Mapping[str, Any]] = {
    "validate": list[FindingDocument],
    "rules list": list[RuleDocument],
    "calendar": CalendarDocument,
    "doctor": ReportDocument,
    "diagnose": ReportDocument,
    "manifest render": list[RenderedManifestDocument],
    "measure": MeasurementDocument,
    "attestation show": EvidenceDocument,
    "attestation verify": AppraisalDocument,
    "backend up": InstanceDocument,
    "backend status": InstanceDocument,
    "policy show": PolicyFileDocument,
    "policy diff": list[TrustChangeDocument],
    "policy strength": list[TrialDocument],
    "certs inspect": list[CertificateDocument],
    "certs check": list[FindingDocument],
    "certs list": list[IssuedCertificateDocument],
    "stack explain": list[OriginDocument],
    "computations list": list[ComputationDocument],
    "computations show": ComputationDetails,
    "computations run": RunDocument,
    "computations logs": list[LogDocument],
    "computations events": list[EventDocument],
    "import": ImportDocument,
    "vms list": list[VmDocument],
    "vms image": VmImageDocument,
    "vms show": VmDetails,
}
"""The type of the document by the command's name."""

_WORDS: Final = {str: "text", int: "number", bool: "true or false", type(None): "null", Any: "any value"}


def shape_of(annotation: Any, indent: str = "") -> str:
    """A type as a pattern of JSON, nested ones written out."""
    deeper = f"{indent}  "
    if is_typeddict(annotation):
        fields = (
            f'{deeper}"{name}": {shape_of(field, deeper)}'
            for name, field in get_type_hints(annotation).items()
        )
        return "{\n" + ",\n".join(fields) + f"\n{indent}}}"
    if get_origin(annotation) is list:
        (item,) = get_args(annotation)
        return f"[{shape_of(item, indent)}, ...]"
    if get_origin(annotation) is dict:
        _, item = get_args(annotation)
        return f'{{"name": {shape_of(item, indent)}, ...}}'
    if get_origin(annotation) in (Union, types.UnionType):
        return " or ".join(shape_of(choice, indent) for choice in get_args(annotation))
    return _WORDS[annotation]

"""Reads what Prism asks the agent to run, and refuses what cannot be run.

Source: cocos-grpc.md sections 1.2, 4.1 and 13 (what makes other agents crash is refused here).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, TypeAlias

from prism_iac.agent.server._file_name import problem_of_file_name
from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import Manifest, ManifestAlgorithm, ManifestDataset, RemoteSource
from prism_iac.pki import parse_public_key
from prism_iac.wire.cvms_pb2 import Algorithm, ComputationRunReq, Dataset, KBSConfig, Source

__all__ = ["read_manifest"]

_Item: TypeAlias = Algorithm | Dataset

_DIGEST_BYTES: Final = 32


def read_manifest(request: ComputationRunReq) -> Manifest:
    """The manifest in a run request, its keys in canonical form.

    Raises:
        InvalidInput: It cannot be run; holds everything that is wrong with it.
    """
    findings = [*_findings(request)]
    if findings:
        raise InvalidInput(findings)
    return Manifest(
        id=request.id,
        name=request.name,
        description=request.description,
        algorithm=ManifestAlgorithm(
            hash=request.algorithm.hash,
            user_key=parse_public_key(request.algorithm.userKey),
            source=_remote_algorithm(request),
        ),
        datasets=tuple(
            ManifestDataset(
                hash=dataset.hash,
                user_key=parse_public_key(dataset.userKey),
                filename=dataset.filename,
                source=_remote_dataset(request, dataset),
            )
            for dataset in request.datasets
        ),
        result_consumers=tuple(parse_public_key(consumer.userKey) for consumer in request.result_consumers),
    )


def _remote_algorithm(request: ComputationRunReq) -> RemoteSource | None:
    algorithm = request.algorithm
    remote = _remote(algorithm.source, _kbs(request, algorithm))
    if remote is None:
        return None
    kind = {"runtime": algorithm.algo_type, "arguments": tuple(algorithm.algo_args)}
    return remote.model_copy(update=kind)


def _remote_dataset(request: ComputationRunReq, dataset: Dataset) -> RemoteSource | None:
    remote = _remote(dataset.source, _kbs(request, dataset))
    return remote and remote.model_copy(update={"decompress": dataset.decompress})


def _kbs(request: ComputationRunReq, item: _Item) -> KBSConfig:
    """Of the item, or of the computation where Prism is of the time of agents 0.9 (section 12)."""
    return item.kbs if item.HasField("kbs") else request.kbs


def _remote(source: Source, kbs: KBSConfig) -> RemoteSource | None:
    """What is to be fetched; without an enabled broker an upload is waited for (section 4.5).

    What a source names is judged when it is fetched: the failure belongs to the run.
    """
    if not (source.url and kbs.enabled):
        return None
    return RemoteSource.model_construct(
        url=source.url,
        encrypted=source.encrypted,
        kbs_url=kbs.url or None,
        kbs_resource_path=source.kbs_resource_path or None,
    )


def _findings(request: ComputationRunReq) -> Iterator[Finding]:
    if request.HasField("algorithm"):
        yield from _item_findings("algorithm", request.algorithm)
    else:
        yield Finding(
            path="algorithm", message="the manifest declares no algorithm", fix="Link an algorithm asset."
        )
    for index, dataset in enumerate(request.datasets):
        yield from _item_findings(f"datasets[{index}]", dataset)
        is_fetched = _kbs(request, dataset).enabled and bool(dataset.source.url)
        problem = problem_of_file_name(dataset.filename) if dataset.filename or is_fetched else None
        if problem:
            yield Finding(
                path=f"datasets[{index}].filename",
                message=problem,
                fix="Use a plain file name, like iris.csv.",
            )
    for index, consumer in enumerate(request.result_consumers):
        yield from _key_findings(f"result_consumers[{index}]", consumer.userKey)
    yield from _repeated_names(request)


def _item_findings(path: str, item: _Item) -> Iterator[Finding]:
    if len(item.hash) != _DIGEST_BYTES:
        yield Finding(
            path=f"{path}.hash",
            message=f"must be a SHA3-256 digest of {_DIGEST_BYTES} bytes, has {len(item.hash)}",
            fix="Give the asset's checksum.",
        )
    if item.source.encrypted and not item.source.url:
        yield Finding(
            path=f"{path}.source",
            message="this agent decrypts what it fetches, and no upload",
            fix="Say where the encrypted file is, or upload it as it is; attested TLS protects the way.",
        )
    yield from _key_findings(path, item.userKey)


def _key_findings(path: str, key: bytes) -> Iterator[Finding]:
    try:
        parse_public_key(key)
    except InvalidInput as error:
        for finding in error.findings:
            yield Finding(path=f"{path}.userKey", message=finding.message, fix=finding.fix)


def _repeated_names(request: ComputationRunReq) -> Iterator[Finding]:
    names = Counter(dataset.filename for dataset in request.datasets if dataset.filename)
    for name, count in names.items():
        if count > 1:
            yield Finding(
                path="datasets",
                message=f'{count} datasets have the file name "{name}"; one would overwrite the other',
                fix="Give each dataset a file name of its own.",
            )

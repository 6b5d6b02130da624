"""The message that gives an agent its computation (cocos-grpc.md section 1.2)."""

from __future__ import annotations

from typing import Final

from prism_iac.backend.store.computations import Computation
from prism_iac.model import Manifest, RemoteSource, kind_of_source
from prism_iac.wire import cvms_pb2

__all__ = ["run_request"]

_PORT: Final = "7002"
"""Read by agents before 0.9 only; later ones listen there anyway."""


def run_request(manifest: Manifest, computation: Computation, *, default_log_level: str) -> bytes:
    """The serialised `ComputationRunReq`.

    Args:
        manifest: What to run.
        computation: How the agent logs and is secured.
        default_log_level: The CVM's level, for a computation that has none (D29).
    """
    algorithm = manifest.algorithm
    message = cvms_pb2.ComputationRunReq(
        id=manifest.id,
        name=manifest.name,
        description=manifest.description,
        datasets=[
            cvms_pb2.Dataset(
                hash=dataset.hash,
                userKey=dataset.user_key,
                filename=dataset.filename,
                source=_source(dataset.source),
                decompress=dataset.source is not None and dataset.source.decompress,
                kbs=_kbs(dataset.source),
            )
            for dataset in manifest.datasets
        ],
        algorithm=cvms_pb2.Algorithm(
            hash=algorithm.hash,
            userKey=algorithm.user_key,
            source=_source(algorithm.source),
            algo_type=(algorithm.source.runtime or "") if algorithm.source is not None else "",
            algo_args=algorithm.source.arguments if algorithm.source is not None else (),
            kbs=_kbs(algorithm.source),
        ),
        result_consumers=[cvms_pb2.ResultConsumer(userKey=key) for key in manifest.result_consumers],
        agent_config=cvms_pb2.AgentConfig(
            port=_PORT,
            cert_file=computation.cert_file,
            key_file=computation.server_key,
            client_ca_file=computation.client_ca_file,
            server_ca_file=computation.server_ca_file,
            log_level=computation.log_level or default_log_level,
            attested_tls=computation.attested_tls,
        ),
        kbs=_kbs_of_all(manifest),
    )
    return message.SerializeToString()


def _source(remote: RemoteSource | None) -> cvms_pb2.Source | None:
    if remote is None:
        return None
    return cvms_pb2.Source(
        type=kind_of_source(remote.url) or "",
        url=remote.url,
        kbs_resource_path=remote.kbs_resource_path or "",
        encrypted=remote.encrypted,
    )


def _kbs(remote: RemoteSource | None) -> cvms_pb2.KBSConfig | None:
    return None if remote is None else cvms_pb2.KBSConfig(url=remote.kbs_url or "", enabled=True)


def _kbs_of_all(manifest: Manifest) -> cvms_pb2.KBSConfig | None:
    """What makes agents of 0.9 fetch; its broker is named where all sources have the same one."""
    sources = [manifest.algorithm.source, *(dataset.source for dataset in manifest.datasets)]
    remotes = [remote for remote in sources if remote is not None]
    brokers = {remote.kbs_url or "" for remote in remotes}
    if not remotes:
        return None
    return cvms_pb2.KBSConfig(url=brokers.pop() if len(brokers) == 1 else "", enabled=True)

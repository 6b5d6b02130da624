"""The message that gives an agent its computation (cocos-grpc.md section 1.2)."""

from __future__ import annotations

from typing import Final

from prism_iac.backend.store.computations import Computation
from prism_iac.model import Manifest
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
    message = cvms_pb2.ComputationRunReq(
        id=manifest.id,
        name=manifest.name,
        description=manifest.description,
        datasets=[
            cvms_pb2.Dataset(hash=dataset.hash, userKey=dataset.user_key, filename=dataset.filename)
            for dataset in manifest.datasets
        ],
        algorithm=cvms_pb2.Algorithm(hash=manifest.algorithm.hash, userKey=manifest.algorithm.user_key),
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
    )
    return message.SerializeToString()

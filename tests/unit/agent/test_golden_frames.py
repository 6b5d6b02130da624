"""The generated messages against bytes written by hand from the tables of cocos-grpc.md sections 1.1 and 1.2.

A field is its number and wire type (number << 3 | type) and its value; type 0 is a varint, 2 has a length.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from prism_iac.wire import agent_pb2 as agent
from prism_iac.wire import cvms_pb2 as cvms


def field(number: int, value: bytes) -> bytes:
    """A field with a length; short ones only."""
    return bytes([number << 3 | 2, len(value)]) + value


def number(number_: int, value: int) -> bytes:
    return bytes([number_ << 3, value])


TIMESTAMP = Timestamp(seconds=5, nanos=6)
TIMESTAMP_BYTES = number(1, 5) + number(2, 6)

AGENT = [
    (agent.AlgoRequest(algorithm=b"a", requirements=b"r"), field(1, b"a") + field(2, b"r")),
    (agent.AlgoResponse(), b""),
    (agent.DataRequest(dataset=b"d", filename="f"), field(1, b"d") + field(2, b"f")),
    (agent.DataResponse(), b""),
    (agent.ResultRequest(), b""),
    (agent.ResultResponse(file=b"f"), field(1, b"f")),
    (
        agent.AttestationRequest(teeNonce=b"t", vtpmNonce=b"v", type=4),
        field(1, b"t") + field(2, b"v") + number(3, 4),
    ),
    (agent.AttestationResponse(file=b"f"), field(1, b"f")),
    (agent.IMAMeasurementsRequest(), b""),
    (agent.IMAMeasurementsResponse(file=b"f", pcr10=b"p"), field(1, b"f") + field(2, b"p")),
    (agent.AttestationTokenRequest(tokenNonce=b"t", type=3), field(1, b"t") + number(3, 3)),
    (agent.AttestationTokenResponse(file=b"f"), field(1, b"f")),
]

KBS = (cvms.KBSConfig(url="u", enabled=True), field(1, b"u") + number(2, 1))
SOURCE = (
    cvms.Source(type="t", url="u", kbs_resource_path="p", encrypted=True),
    field(1, b"t") + field(2, b"u") + field(3, b"p") + number(4, 1),
)
DATASET = (
    cvms.Dataset(hash=b"h", userKey=b"k", filename="f", source=SOURCE[0], decompress=True, kbs=KBS[0]),
    field(1, b"h") + field(2, b"k") + field(3, b"f") + field(4, SOURCE[1]) + number(5, 1) + field(6, KBS[1]),
)
ALGORITHM = (
    cvms.Algorithm(
        hash=b"h", userKey=b"k", source=SOURCE[0], algo_type="t", algo_args=["a", "b"], kbs=KBS[0]
    ),
    field(1, b"h")
    + field(2, b"k")
    + field(3, SOURCE[1])
    + field(4, b"t")
    + field(5, b"a")
    + field(5, b"b")
    + field(6, KBS[1]),
)
CONSUMER = (cvms.ResultConsumer(userKey=b"k"), field(1, b"k"))
CONFIG = (
    cvms.AgentConfig(
        port="p",
        cert_file="c",
        key_file="k",
        client_ca_file="l",
        server_ca_file="s",
        log_level="g",
        attested_tls=True,
    ),
    field(1, b"p")
    + field(2, b"c")
    + field(3, b"k")
    + field(4, b"l")
    + field(5, b"s")
    + field(6, b"g")
    + number(7, 1),
)
RUN_REQUEST = (
    cvms.ComputationRunReq(
        id="i",
        name="n",
        description="d",
        datasets=[DATASET[0]],
        algorithm=ALGORITHM[0],
        result_consumers=[CONSUMER[0]],
        agent_config=CONFIG[0],
    ),
    field(1, b"i")
    + field(2, b"n")
    + field(3, b"d")
    + field(4, DATASET[1])
    + field(5, ALGORITHM[1])
    + field(6, CONSUMER[1])
    + field(7, CONFIG[1]),
)
CHUNK = (cvms.RunReqChunks(data=b"d", id="i", is_last=True), field(1, b"d") + field(2, b"i") + number(3, 1))
LOG = (
    cvms.AgentLog(message="m", computation_id="c", level="l", timestamp=TIMESTAMP),
    field(1, b"m") + field(2, b"c") + field(3, b"l") + field(4, TIMESTAMP_BYTES),
)
EVENT = (
    cvms.AgentEvent(
        event_type="e", timestamp=TIMESTAMP, computation_id="c", details=b"d", originator="o", status="s"
    ),
    field(1, b"e")
    + field(2, TIMESTAMP_BYTES)
    + field(3, b"c")
    + field(4, b"d")
    + field(5, b"o")
    + field(6, b"s"),
)
RUN_RESPONSE = (cvms.RunResponse(computation_id="c", error="e"), field(1, b"c") + field(2, b"e"))
STOPPED = (cvms.StopComputationResponse(computation_id="c", message="m"), field(1, b"c") + field(2, b"m"))
STATE = (cvms.AgentStateRes(id="i", state="s"), field(1, b"i") + field(2, b"s"))
REPORT = (cvms.AttestationResponse(file=b"f", certSerialNumber="1"), field(1, b"f") + field(2, b"1"))
TOKEN = (cvms.azureAttestationToken(file=b"f", certSerialNumber="1"), field(1, b"f") + field(2, b"1"))

PARTS = [KBS, SOURCE, DATASET, ALGORITHM, CONSUMER, CONFIG]

FROM_AGENT = [
    (cvms.ClientStreamMessage(agent_log=LOG[0]), field(1, LOG[1])),
    (cvms.ClientStreamMessage(agent_event=EVENT[0]), field(2, EVENT[1])),
    (cvms.ClientStreamMessage(run_res=RUN_RESPONSE[0]), field(3, RUN_RESPONSE[1])),
    (cvms.ClientStreamMessage(stopComputationRes=STOPPED[0]), field(4, STOPPED[1])),
    (cvms.ClientStreamMessage(agentStateRes=STATE[0]), field(5, STATE[1])),
    (cvms.ClientStreamMessage(vTPMattestationReport=REPORT[0]), field(6, REPORT[1])),
    (cvms.ClientStreamMessage(azureAttestationToken=TOKEN[0]), field(7, TOKEN[1])),
]

FROM_PRISM = [
    (cvms.ServerStreamMessage(runReqChunks=CHUNK[0]), field(1, CHUNK[1])),
    (cvms.ServerStreamMessage(runReq=RUN_REQUEST[0]), field(2, RUN_REQUEST[1])),
    (cvms.ServerStreamMessage(stopComputation=cvms.StopComputation(computation_id="c")), field(3, field(1, b"c"))),
    (cvms.ServerStreamMessage(agentStateReq=cvms.AgentStateReq(id="i")), field(4, field(1, b"i"))),
    (cvms.ServerStreamMessage(disconnectReq=cvms.DisconnectReq(id="i")), field(5, field(1, b"i"))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "expected"),
    [*AGENT, *PARTS, *FROM_AGENT, *FROM_PRISM],
    ids=lambda value: type(value).__name__ if isinstance(value, Message) else "",
)
def test_a_message_has_the_bytes_of_the_tables(message: Message, expected: bytes) -> None:
    assert message.SerializeToString(deterministic=True) == expected
    assert type(message).FromString(expected) == message


def test_every_message_and_every_field_has_a_frame() -> None:
    seen: dict[str, set[str]] = {}
    for message, _ in (*AGENT, *PARTS, *FROM_AGENT, *FROM_PRISM):
        take_note(message, seen)
    declared = {
        message.full_name: {field.name for field in message.fields}
        for file in (agent.DESCRIPTOR, cvms.DESCRIPTOR)
        for message in file.message_types_by_name.values()
    }
    assert {name: fields for name, fields in seen.items() if name in declared} == declared


def take_note(message: Message, seen: dict[str, set[str]]) -> None:
    """Of the fields that a message has, and those of the messages in it."""
    fields = seen.setdefault(message.DESCRIPTOR.full_name, set())
    for descriptor, value in message.ListFields():
        fields.add(descriptor.name)
        for part in value if isinstance(value, Sequence) else (value,):
            if isinstance(part, Message):
                take_note(part, seen)


def test_the_methods_have_the_documented_names() -> None:
    assert [method.full_name for method in agent.DESCRIPTOR.services_by_name["AgentService"].methods] == [
        f"agent.AgentService.{name}"
        for name in ("Algo", "Data", "Result", "Attestation", "IMAMeasurements", "AzureAttestationToken")
    ]
    (process,) = cvms.DESCRIPTOR.services_by_name["Service"].methods
    assert process.full_name == "cvms.Service.Process"
    assert process.client_streaming
    assert process.server_streaming


def test_a_removed_field_of_an_older_version_is_passed_over() -> None:
    from_0_9 = field(1, b"i") + field(8, KBS[1])
    assert cvms.ComputationRunReq.FromString(from_0_9).id == "i"

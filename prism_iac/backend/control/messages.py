"""Reads what agents send.

A log message may be cut inside a character (cocos-grpc.md section 5.4), which no reader of a proto3 `string`
accepts. On the wire a string and bytes are the same (protobuf encoding, "Length-Delimited Records"), so the
stream is read with a schema in which that one field is bytes, derived from the generated one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

from prism_iac.wire import cvms_pb2

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["parse_client_message"]

_CUT_FIELDS: Final = {"AgentLog": "message"}


def _lenient_class() -> type[Message]:
    schema = descriptor_pb2.FileDescriptorProto()
    cvms_pb2.DESCRIPTOR.CopyToProto(schema)
    for message in schema.message_type:
        for field in message.field:
            if _CUT_FIELDS.get(message.name) == field.name:
                field.type = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(schema)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("cvms.ClientStreamMessage"))


_CLIENT_MESSAGE: Final = _lenient_class()


def parse_client_message(data: bytes) -> Any:
    """A `ClientStreamMessage` whose `agent_log.message` is bytes.

    Raises:
        google.protobuf.message.DecodeError: The bytes are no such message.
    """
    return _CLIENT_MESSAGE.FromString(data)

"""Protocol code generated from the .proto files in this folder.

The build writes `*_pb2.py` and `*_pb2_grpc.py` beside them (`hatch_build.py`); nobody edits those.
Message numbers and names are those of the Cocos contract. Imports nothing of the package.
"""

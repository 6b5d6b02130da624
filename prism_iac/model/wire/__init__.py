"""The names of fields as the native plugin's schema has them, and back.

Main entries: `to_wire` and `from_wire`. Knows the models and nothing of the engine.
"""

from prism_iac.model.wire._names import camel, from_wire, secret_names, to_wire

__all__ = ["camel", "from_wire", "secret_names", "to_wire"]

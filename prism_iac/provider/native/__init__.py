"""The native face: the provider plugin `pulumi-resource-prism`, for every language of the engine.

Serves the same handlers as the dynamic resources, and adds what those cannot: import by id, exact previews of
updates, differences of nested properties, timeouts, functions, a schema. Written on the servicer of the SDK's
protocol, not on its experimental base class (pulumi-provider.md section 2.2 tells why).
"""

from prism_iac.provider.native._server import main

__all__ = ["main"]

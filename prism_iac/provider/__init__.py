"""The faces that the Pulumi engine sees: dynamic resources, typed classes, the components.

Main entries: the resource classes, `StackFile` and `RemoteHypervisor`, which `prism_iac` exports. Turns property bags into
models and back; decides nothing. Must not know HTTP, SQL or the protocol of agents. What a program imports
stays light: names are imported when they are first used, and so are the rooms below.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

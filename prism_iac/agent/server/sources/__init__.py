"""Fetches what a manifest says is elsewhere, decrypts it, and gives it to the computation.

Main entry: `Fetcher`. Nothing here believes a source: what comes is bounded in size and time, is fetched from
addresses outside of the machine and its network's own services only, and is used only where its digest is the
manifest's. Source: cocos-grpc.md sections 4.5 and 4.6.
"""

from prism_iac.agent.server.sources._failure import FetchFailed
from prism_iac.agent.server.sources._fetcher import Fetcher
from prism_iac.agent.server.sources._settings import SourceSettings

__all__ = ["FetchFailed", "Fetcher", "SourceSettings"]

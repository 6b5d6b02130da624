"""The client of the Prism REST API, and where the embedded backend is found.

Main entries: `PrismClient` for everything that a Prism does, `find_embedded` and `start_embedded` for the
backend of this machine. The only room that knows URLs. Typed records leave it, never raw JSON, but for the
documents that are passed on whole (manifests, policies). Imports `model` and `errors`, and nothing of
Pulumi or of the backend, which it knows through its files, its command line and its routes alone. Names are
imported when they are first used, HTTP libraries when the first client is made: a preview needs neither.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

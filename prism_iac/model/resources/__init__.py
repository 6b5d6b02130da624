"""The resource kinds: one model each, with the change rule of every field.

Pure values; imports nothing above `model`. Names are imported when they are first used: a kind of resource
that a stack does not have costs it nothing.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""The guest image: a kernel of Debian and an initial ramdisk with the agent of this package in it.

Main entries: `build_image`, `find_image`. The kernel, Python and busybox come from the Debian packages that the
machine's own sources offer, the agent's libraries from wheels of the versions that are installed here. The same
packages give the same bytes, so the launch measurement is known before anything boots. Imports its siblings,
and of the package only `errors`.
"""

from prism_iac.hypervisor.qemu.guest._build import build_image
from prism_iac.hypervisor.qemu.guest._image import COMMAND_LINE, GuestImage, find_image

__all__ = ["COMMAND_LINE", "GuestImage", "build_image", "find_image"]

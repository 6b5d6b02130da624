"""Drivers that make confidential VMs; one interface.

Main entry: `open_hypervisor`, which gives a `Hypervisor`. Beside it `cocos` is the client of a manager of Cocos,
and `manager` a manager of our own. Uses `attestation`, `pki` and `model`; must not
import `prism`, `agent` (it is started as a program) or anything above.
"""

from prism_iac.hypervisor._hypervisor import Hypervisor, open_hypervisor
from prism_iac.hypervisor._vm import Vm, VmSpec

__all__ = ["Hypervisor", "Vm", "VmSpec", "open_hypervisor"]

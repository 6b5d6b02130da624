"""Whether anything is kept for a stack: what an update made and nobody has removed."""

from __future__ import annotations

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from prism_iac.backend.store.assets import Asset
from prism_iac.backend.store.computations import Computation
from prism_iac.backend.store.cvms import Cvm
from prism_iac.model import VmStatus

__all__ = ["is_empty"]


def is_empty(session: Session) -> bool:
    """Whether there is no computation, no asset and no VM but removed ones; accounts do not count."""
    vms = select(Cvm.id).where(Cvm.status != VmStatus.INACTIVE)
    kept = or_(exists(select(Computation.id)), exists(select(Asset.id)), exists(vms))
    return not session.scalar(select(kept))

"""The agent that runs inside a VM: `python -m prism_iac.agent`.

It dials the control stream of Prism, takes one manifest at a time, opens a port for the participants of that
computation, runs the algorithm under supervision and serves the result. Main entry: `main`. It is written
with asyncio, because one thread that owns the state needs no locks; slow file work goes to worker threads.
Must not import the client beside it, nor `backend`, `prism`, `hypervisor` or anything above them.
"""

from prism_iac.agent.server._process import main

__all__ = ["main"]

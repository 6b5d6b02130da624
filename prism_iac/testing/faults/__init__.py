"""Faults on the way to a backend, and kills at every call of a scenario.

Main entries: `FaultProxy`, `kill_points`. A proxy stands before a backend and spoils what its rules name; the
runner kills what a scenario started before and after each call, and lets the scenario prove that it recovers.
It knows HTTP and processes, nothing of Prism, so that it serves any program that calls a backend.
"""

from prism_iac.testing.faults._kills import KillPoint, Moment, kill_points
from prism_iac.testing.faults._proxy import Fault, FaultProxy, Rule, storm

__all__ = ["Fault", "FaultProxy", "KillPoint", "Moment", "Rule", "kill_points", "storm"]

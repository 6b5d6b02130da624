"""Faults on the way to a backend, and kills at every call of a stack's life.

Main entries: `FaultProxy`, and for kills `open_world`, `record` and `cut_off`. A proxy stands before a backend
and spoils what its rules name. A world is a copy of a project with a backend, a store of state and VMs of its own;
its steps are cut off before and after each call and each write of state, and must go on as if nothing had been.
"""

from prism_iac.testing.faults._command import add_options, conclude, tell
from prism_iac.testing.faults._files import die_before_change
from prism_iac.testing.faults._invariant import violations
from prism_iac.testing.faults._lives import Cut, Life, Step, cut_off, live_through, plan, record
from prism_iac.testing.faults._processes import command_of, end_processes_of, processes_of
from prism_iac.testing.faults._proxy import Fault, FaultProxy, Rule, storm
from prism_iac.testing.faults._relay import Relay
from prism_iac.testing.faults._report import Row, print_table, rows_of, write_json
from prism_iac.testing.faults._survive import Scenario, survive
from prism_iac.testing.faults._tape import CutOff, KillPoint, Moment, Tape
from prism_iac.testing.faults._world import Victim, World, open_world

__all__ = [
    "Cut",
    "CutOff",
    "Fault",
    "FaultProxy",
    "KillPoint",
    "Life",
    "Moment",
    "Relay",
    "Row",
    "Rule",
    "Scenario",
    "Step",
    "Tape",
    "Victim",
    "World",
    "add_options",
    "command_of",
    "conclude",
    "cut_off",
    "die_before_change",
    "end_processes_of",
    "live_through",
    "open_world",
    "plan",
    "print_table",
    "processes_of",
    "record",
    "rows_of",
    "storm",
    "survive",
    "tell",
    "violations",
    "write_json",
]

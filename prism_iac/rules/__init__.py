"""What an environment demands of its computations, written once.

Main entries: `RULES`, `judge`, which holds a stack file against them, and `judge_resource`. A rule is a function of a
document and its parameters to what breaks it; places in files, previews and policy packs are for the rooms
above. Pure: no clock, no files. Imports nothing above `attestation`, and neither `spec` nor `lifecycle`.
"""

from prism_iac.rules._catalogue import RULES
from prism_iac.rules._judge import PRODUCTION, Judgement, judge
from prism_iac.rules._resources import judge_resource
from prism_iac.rules._rule import Breach, Rule

__all__ = ["PRODUCTION", "RULES", "Breach", "Judgement", "Rule", "judge", "judge_resource"]

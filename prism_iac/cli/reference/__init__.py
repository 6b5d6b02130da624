"""The reference pages of the command line and of the rules, made from the commands and the rules themselves.

Main entries: `reference_page` and `rules_page`, which `python -m prism_iac.cli.reference` writes to
`docs/reference/cli.md` and `docs/rules.md`.
"""

from prism_iac.cli.reference._page import reference_page
from prism_iac.cli.reference._rules import rules_page
from prism_iac.cli.reference._shapes import DOCUMENTS

__all__ = ["DOCUMENTS", "reference_page", "rules_page"]

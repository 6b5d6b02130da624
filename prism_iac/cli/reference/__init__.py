"""The reference page of the command line, made from the commands themselves.

Main entry: `reference_page`, which `python -m prism_iac.cli.reference` writes to `docs/reference/cli.md`.
"""

from prism_iac.cli.reference._page import reference_page
from prism_iac.cli.reference._shapes import DOCUMENTS

__all__ = ["DOCUMENTS", "reference_page"]

"""`prism-iac measure`: what a processor will report of a VM that is launched so.

Scripts call it as they call other measuring tools, thousands of times. So it has two ways in: `measure_at_once`
reads what a script writes without the library that reads arguments, whose import takes ten times as long as a
measurement, and leaves everything else (help, mistakes, completion) to `command`. Both are made from one table of
options.
"""

from prism_iac.cli.measure._at_once import measure_at_once

__all__ = ["measure_at_once"]

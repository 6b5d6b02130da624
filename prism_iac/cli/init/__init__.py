"""`prism-iac init`: a platform repository that previews at once.

What it writes is `template/`, file by file; `PROJECT_NAME` and `WORKSPACE_NAME` are filled in.
"""

from prism_iac.cli.init._command import init

__all__ = ["init"]

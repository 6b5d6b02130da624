"""`prism-iac calendar`: what a stack and its workspace come to with time. The command is `calendar`."""

from prism_iac.cli.calendar._command import calendar

__all__ = ["calendar"]

"""What the provider reads from the configuration of a Pulumi stack, `Pulumi.<stack>.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["CONFIGURATION", "ConfigKey"]


@dataclass(frozen=True, slots=True)
class ConfigKey:
    """A key of the namespace `prism`.

    Attributes:
        words: What it is.
        is_secret: It is set with `--secret`.
        is_by_stack_file: A stack file says it; the configuration does so for programs without one.
    """

    words: str
    is_secret: bool = False
    is_by_stack_file: bool = False


CONFIGURATION: Final[Mapping[str, ConfigKey]] = {
    "endpoint": ConfigKey(
        "`embedded` for the backend of this machine, or the URL of a Prism.", is_by_stack_file=True
    ),
    "workspace": ConfigKey("The workspace of resources that name none.", is_by_stack_file=True),
    "token": ConfigKey("An access token of the user who acts.", is_secret=True),
    "username": ConfigKey("The user who acts, where no token is given."),
    "password": ConfigKey("The password of that user.", is_secret=True),
    "participants": ConfigKey(
        "Credentials of the users to act for: a JSON object of users, each with a token or a password.",
        is_secret=True,
    ),
    "dataFolder": ConfigKey("The folder of the embedded backend and of local VMs."),
    "controlAddress": ConfigKey("Where agents reach the control stream of a hosted Prism, host:port."),
    "managerKey": ConfigKey(
        "The private key that managers of VMs are shown the certificate of.", is_secret=True
    ),
}
"""Every key that is read, by its name."""

"""Tells a plan to a pull request: one comment for each stack, edited in place.

Main entries: `forge_of` and `pull_requests_of`, which find the forge in the environment of a job, `publish`, and
`verify_identity` for the ID tokens of jobs. Knows the REST APIs of GitHub and GitLab; is given the comment as text.
Must not import `plan`.
"""

from prism_iac.forge._comments import COMMENT_CHARACTERS, Comment, Forge, composed, publish
from prism_iac.forge._environment import forge_of, pull_request_of, pull_requests_of
from prism_iac.forge._identity import Trust, fetch_identity, fetch_keys, verify_identity
from prism_iac.forge._pull_requests import PullRequest, PullRequests, number_of_head
from prism_iac.forge._rest import NotAllowed, Rest

__all__ = [
    "COMMENT_CHARACTERS",
    "Comment",
    "Forge",
    "NotAllowed",
    "PullRequest",
    "PullRequests",
    "Rest",
    "Trust",
    "composed",
    "fetch_identity",
    "fetch_keys",
    "forge_of",
    "number_of_head",
    "publish",
    "pull_request_of",
    "pull_requests_of",
    "verify_identity",
]

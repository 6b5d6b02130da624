"""Runs the agent of a VM; settings come from the environment."""

import sys

from prism_iac.agent.server import main

if __name__ == "__main__":
    sys.exit(main())

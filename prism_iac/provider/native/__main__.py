"""`python -m prism_iac.provider.native <address of the engine>`, as the engine starts it."""

from prism_iac.provider.native import main

main()

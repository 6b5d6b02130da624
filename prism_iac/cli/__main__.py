"""`python -m prism_iac.cli` is `prism-iac`."""

from prism_iac.cli import main

if __name__ == "__main__":
    main()

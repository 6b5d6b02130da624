"""SEV-SNP: the report, the certificates that endorse it, and whether both are as a policy expects.

Main entries: `SnpReport`, `Evidence`, `verify_chain`, `appraise`. Imports of its siblings only what policies
mean, and of the package only `pki`, `model` and `errors`.
"""

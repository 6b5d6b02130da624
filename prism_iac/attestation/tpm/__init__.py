"""TPM: quotes of platform configuration registers, the key that signs them, and the message they travel in.

Main entries: `TpmEvidence`, `check_quotes`. Imports of its siblings only what policies mean, and of the
package only `pki`, `model` and `errors`.
"""

"""Intel TDX: the quote, the collateral that endorses it, and whether both are as a policy expects.

Main entries: `TdxQuote`, `verify_quote`. Imports of its siblings only what policies mean, and of the package
only `pki`, `model` and `errors`.
"""

"""A small language host: what a Pulumi CLI starts to run programs and plugins written in Python.

Used only where the official one is absent. It serves the calls of `pulumirpc.LanguageRuntime` that running
needs; generating, converting and packing code, type checkers and poetry stay with the official host and
are refused. Started as `python -m prism_iac.toolchain._host <engine address>`, one process per phase of a
command. Imports the Pulumi SDK and nothing else of this package.
"""

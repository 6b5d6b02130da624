"""The routes: one module for each part of section 2 of prism-rest.md.

Operations are thin: they read the request, ask the rules and the store, and give a record. Who may call
them stands in the table of rules, not here.
"""

"""JSON Schemas and reference pages, derived from the models.

Main entry: `generate`, which `python -m prism_iac.model.schema` writes to disk. The same models give the
same bytes. Reads the models' own source files, for what they say of each field; imports nothing above
`model`.
"""

from prism_iac.model.schema._generate import generate
from prism_iac.model.schema._json_schema import schemas

__all__ = ["generate", "schemas"]

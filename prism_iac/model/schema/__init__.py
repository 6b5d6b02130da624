"""JSON Schemas and reference pages, derived from the models.

Main entry: `generate`, which `python -m prism_iac.model.schema` writes to disk. The same models give the
same bytes. Reads the models' own source files, for what they say of each field; imports nothing above
`model`.
"""

from prism_iac.model.schema._generate import generate
from prism_iac.model.schema._json_schema import schemas
from prism_iac.model.schema._words import field_words, words_of

__all__ = ["field_words", "generate", "schemas", "words_of"]

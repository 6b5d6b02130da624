"""The steps that lead to the schema, in order; forward only."""

"""What the API reads and writes: one module for each kind of thing.

Bodies are liberal in what the decisions of prism-rest.md allow and ignore fields that they do not know (D8);
records have the one shape that is named there. `*_record` functions make records of stored rows.
"""

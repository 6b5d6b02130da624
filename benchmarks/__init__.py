"""How fast the package is, each figure beside a reference that ran in turns with it.

`python -m benchmarks` measures, prints a table and writes `results/<time>.json`. One module measures one
thing and gives `Figure`s; what they share is in `figures`, the references are in `references`.
"""

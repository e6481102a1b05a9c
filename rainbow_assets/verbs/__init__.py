"""The verbs of `rainbow`, a module per room; cli.py gathers them."""

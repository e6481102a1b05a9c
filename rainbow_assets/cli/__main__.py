"""`python -m rainbow_assets.cli`."""

from rainbow_assets.cli import main

main()

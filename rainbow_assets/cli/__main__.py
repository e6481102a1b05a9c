"""Run the command line with `python -m rainbow_assets.cli`."""

from rainbow_assets.cli import main

if __name__ == "__main__":
    main()

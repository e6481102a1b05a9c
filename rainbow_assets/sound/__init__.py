"""Sound files read, measured, cut, encoded, and played by instruments."""

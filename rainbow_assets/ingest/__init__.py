"""How files from outside come in: opened below their folder, read within bounds, compared with their digest."""

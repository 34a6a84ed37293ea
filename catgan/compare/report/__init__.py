"""How a comparison is told: a page, a table for the terminal, JSON and CSV."""

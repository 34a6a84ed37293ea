"""How arms differ: rows of numbers with their verdicts, what the cleaning brought, what to know."""

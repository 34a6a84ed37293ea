"""What is measured on features, one metric a module; each returns its number and what intervals
and differences need, at once."""

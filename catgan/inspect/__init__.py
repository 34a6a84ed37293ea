"""`catgan inspect`: what is in a curated folder, as a table and as one page to look at."""

"""`catgan inspect`: what is in a curated folder, as a table and as one page to look at."""

from catgan.inspect.page import write_page
from catgan.inspect.summary import Inspection, inspect_curated

__all__ = ["Inspection", "inspect_curated", "write_page"]

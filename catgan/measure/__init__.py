"""What images are worth, in numbers: extractors see features, metrics measure them, and statistics
say how sure these are.

Nothing is imported here: who wants a network does not pay for what metrics are made with.
"""

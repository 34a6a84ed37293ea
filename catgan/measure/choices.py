"""What a person may choose of measuring, and how little it can be done with; imports nothing."""

EFFICIENTNET = "efficientnet"
INCEPTION = "inception"
DINOV2 = "dinov2"
EXTRACTORS = (EFFICIENTNET, INCEPTION, DINOV2)
"""The networks whose features count; the first comes with catgan."""

MIN_PICTURES = 50
"""Samples, and real images, below which KID's error is as large as what it is to tell apart."""

"""What settings of curating may be, without anything that is slow to load."""

NORMAL = "normal"
STRICTNESS = ("lenient", NORMAL, "strict")
"""How sure the verifier has to be, from the least on."""

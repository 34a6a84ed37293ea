"""What a person may choose of the networks; imports nothing."""

NORMS = ("batch", "group", "none")
"""What may stand behind a hidden layer of the discriminator."""

STARTS = ("dcgan", "he")
"""How the discriminator's weights are drawn."""

"""What a person may choose of the networks; imports nothing."""

NORMS = ("batch", "group", "none")
"""What may stand behind a hidden layer of the discriminator."""

STARTS = ("dcgan", "he")
"""How the discriminator's weights are drawn."""

UPSAMPLES = ("transposed", "nearest")
"""How the generator doubles the side of its maps."""

PIXELS, PROJECTED = "pixels", "projected"
DISCRIMINATORS = (PIXELS, PROJECTED)
"""What the discriminator looks at: pictures, or what a pretrained network makes of them."""

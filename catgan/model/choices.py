"""What a person may choose of the networks; imports nothing."""

LARGEST = {"size": 1024, "latent_dim": 65_536, "ngf": 4096, "ndf": 4096}
"""Numbers that a network is laid out by, and how large they may be."""

NORMS = ("batch", "group", "none")
"""What may stand behind a hidden layer of the discriminator."""

STARTS = ("dcgan", "he")
"""How the discriminator's weights are drawn."""

UPSAMPLES = ("transposed", "nearest")
"""How the generator doubles the side of its maps."""

PIXELS, PROJECTED = "pixels", "projected"
DISCRIMINATORS = (PIXELS, PROJECTED)
"""What the discriminator looks at: pictures, or what a pretrained network makes of them."""

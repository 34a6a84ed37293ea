"""The two networks that a run trains."""

import torch

from catgan.model.choices import PROJECTED
from catgan.model.networks import Discriminator, Generator, init_weights
from catgan.model.projected import ProjectedDiscriminator
from catgan.train.config import TrainConfig
from catgan.train.eyes import OpenEyes, open_eyes

AnyDiscriminator = Discriminator | ProjectedDiscriminator


def new_nets(
    config: TrainConfig, random: torch.Generator, eyes: OpenEyes = open_eyes
) -> tuple[Generator, AnyDiscriminator]:
    """Fresh networks on the CPU, the generator's weights drawn first.

    Args:
        config: What they are like.
        random: Where their weights come from.
        eyes: Loads what a discriminator on features looks through.

    Raises:
        MissingPackage: That cannot be loaded.
    """
    generator = Generator(
        latent_dim=config.latent_dim,
        ngf=config.ngf,
        size=config.size,
        upsample=config.upsample,
        skip=config.skip,
    )
    if config.discriminator == PROJECTED:
        projected = ProjectedDiscriminator(eyes(), ndf=config.ndf)
        init_weights(generator, random)
        projected.start(random)
        return generator, projected
    discriminator = Discriminator(ndf=config.ndf, size=config.size, norm=config.norm)
    init_weights(generator, random)
    init_weights(discriminator, random, start=config.start_d)
    return generator, discriminator

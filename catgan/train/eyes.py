"""The pretrained network that the discriminator of recipe `projected` looks through.

EfficientNet-Lite1 (Tan & Le 2019, arXiv:1905.11946), an ImageNet classifier, up to its last map;
its weights come inside a package. Runs are measured with Lite0: what trains does not judge.
"""

import importlib.util
import itertools
from collections.abc import Callable

from torch import nn

from catgan.core.errors import MissingPackage
from catgan.measure.extractors.efficientnet import fold_norms, load_net
from catgan.measure.extractors.variants import LITE1
from catgan.model.projected import WIDTHS, Eyes

SIDE = 128
"""What pictures are brought to before they are looked at, pixels."""
STEM = ("conv_stem", "bn1")
STAGES = (1, 2, 4, 6)
"""The blocks behind which a map is taken: 1/4, 1/8, 1/16 and 1/32 of the side."""


OpenEyes = Callable[[], Eyes]
"""What loads them: `open_eyes`, or one that has others."""


def check_eyes() -> None:
    """Whether the network can be loaded, as far as can be told without a second of loading.

    Raises:
        MissingPackage: It cannot.
    """
    module = LITE1.package.replace("-", "_")
    if importlib.util.find_spec(module) is None:
        raise _missing(f"missing (there is no module {module})")


def open_eyes() -> Eyes:
    """EfficientNet-Lite1 at 128 pixels, on the CPU: maps of 24, 40, 112 and 320 channels.

    Raises:
        MissingPackage: The package with the weights is missing or broken.
    """
    net = fold_norms(load_net(LITE1))
    layers = [*(net.get_submodule(name) for name in STEM), *net.get_submodule("blocks").children()]
    ends = [0, *(len(STEM) + last + 1 for last in STAGES)]
    stages = [nn.Sequential(*layers[start:end]) for start, end in itertools.pairwise(ends)]
    return Eyes(stages, widths=WIDTHS, side=SIDE)


def _missing(what: str) -> MissingPackage:
    return MissingPackage(
        f"The pretrained network of recipe projected is {what}; "
        f"to get it: pip install {LITE1.package} "
        "(with --force-reinstall if it is there already)."
    )

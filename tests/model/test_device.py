"""Where networks compute: a device that is there, or a sentence."""

import pytest
import torch

from catgan.core.errors import BadSettings
from catgan.model.device import pick_device, product_speed


def test_the_processor_is_always_there_and_auto_takes_something_usable() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    torch.empty(1, device=pick_device("auto"))


@pytest.mark.parametrize("name", ["tpu", "", "cpu:x"])
def test_what_is_not_there_is_refused_by_name(name: str) -> None:
    with pytest.raises(BadSettings, match=f"--device {'is ' if ':' not in name else ''}{name}"):
        pick_device(name)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA card")
def test_a_card_multiplies_faster_in_half_precision() -> None:
    """Between what an old card does in float32 and more than any does in bfloat16."""
    speeds = [product_speed(torch.device("cuda"), kind) for kind in ("float32", "float16")]
    assert 1e11 < min(speeds) < max(speeds) < 1e16

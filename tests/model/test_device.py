"""Where networks compute: a device that is there, or a sentence."""

import pytest
import torch

from catgan.core.errors import BadSettings
from catgan.model.device import pick_device


def test_the_processor_is_always_there_and_auto_takes_something_usable() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    torch.empty(1, device=pick_device("auto"))


@pytest.mark.parametrize("name", ["tpu", "", "cpu:x"])
def test_what_is_not_there_is_refused_by_name(name: str) -> None:
    with pytest.raises(BadSettings, match=f"--device {'is ' if ':' not in name else ''}{name}"):
        pick_device(name)

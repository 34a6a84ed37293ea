"""Train in processes that kill themselves, the way a lost session would.

A program of its own, `python -m tests.train.killing DATA WORK`, because it forks: it must hold no
threads but its first. For every recipe it trains WORK/RECIPE-whole in one go, WORK/RECIPE-killed
in pieces, and prints how many of these ended in a kill.
"""

import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from catgan.core.files import partial_of
from catgan.model import checkpoint
from catgan.train.config import RECIPES, TrainConfig
from catgan.train.loop import train_gan
from tests.train.conftest import PixelExtractor, tiny_eyes

SMALL: dict[str, Any] = {
    "size": 16, "ngf": 4, "ndf": 4, "latent_dim": 8, "device": "cpu", "epochs": 10, "held_out": 60,
    "evaluate_every": 2, "evaluate_samples": 50, "sample_every": 2, "checkpoint_minutes": 0.0005,
}  # fmt: skip
EVENTS = frozenset({"open", "os.rename", "os.remove", "os.mkdir"})


def die(*_: Any) -> None:
    """At once, with nothing closed, nothing written and nobody told."""
    os.kill(os.getpid(), signal.SIGKILL)


def train(data: Path, run: Path, recipe: str, trap: Callable[[Path], None] | None = None) -> bool:
    """Train in a fork, with a trap laid in it; whether it came to its end."""
    child = os.fork()
    if child == 0:
        if trap is not None:
            trap(run)
        config = TrainConfig.of_recipe(recipe, **SMALL)
        train_gan(data, run, config, extractor=PixelExtractor(), open_eyes=tiny_eyes)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0, "training failed, see above"
    return True


def at_file(moment: int) -> Callable[[Path], None]:
    """Die before the so-many-th thing done to a file of the run."""

    def lay(run: Path) -> None:
        left = moment

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            if event in EVENTS and str(arguments[0]).startswith(str(run)):
                left -= 1
                if left < 0:
                    die()

        sys.addaudithook(watch)

    return lay


def at_step(moment: int) -> Callable[[Path], None]:
    """Die after the so-many-th step."""

    def lay(_: Path) -> None:
        trainer: Any = sys.modules["catgan.train.trainer"]
        left = moment

        def counted(step: Callable[..., Any]) -> Callable[..., Any]:
            def count(**parts: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    die()
                return step(**parts)

            return count

        for name in ("train_step", "projected_step"):
            setattr(trainer, name, counted(getattr(trainer, name)))

    return lay


def while_saving(run: Path) -> None:
    """Die with half a checkpoint on disk, the second time."""
    module: Any = checkpoint
    write, left = module.write_bytes, 1

    def half(path: Path, data: bytes) -> None:
        nonlocal left
        if left == 0:
            partial_of(path).write_bytes(data[: len(data) // 2])
            die()
        write(path, data)
        left -= 1

    module.write_bytes = half


def main(data: Path, work: Path) -> None:
    """Every recipe, whole and in pieces."""
    chance = random.Random(7)
    torch.set_num_threads(1)
    for recipe in RECIPES:
        train(data, work / f"{recipe}-whole", recipe)
        run = work / f"{recipe}-killed"
        traps = [at_file(moment) for moment in range(4)]  # before there is a first checkpoint
        traps += [at_step(chance.randrange(12)) for _ in range(3)]
        traps += [at_file(chance.randrange(40)) for _ in range(3)]
        ends = [train(data, run, recipe, trap) for trap in [*traps, while_saving]]
        train(data, run, recipe)
        print(recipe, ends.count(False))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

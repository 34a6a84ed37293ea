"""How fast training is on a GPU: `make bench-card`, on drawn pictures, in about three minutes.

The plain loop is the PyTorch tutorial's (see `benchmarks.train`), ours is what `catgan train` runs,
at each precision, with and without CUDA graphs. Everything runs in this one process, one after the
other; the GPU should have nothing else to do. Without one it says so in a line.
"""

import argparse
import gc
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.train import (
    LATENT,
    WIDTH,
    draw_pictures,
    our_loop,
    our_trainer,
    peak,
    plain_loader,
    plain_loop,
    plain_nets,
    wait_for,
)
from catgan.formats.datasets import open_dataset
from catgan.measure.extractors.efficientnet import EfficientNetLite0
from catgan.train.config import TrainConfig
from catgan.train.data import load_data
from catgan.train.evaluate import Evaluator
from catgan.train.loop import train_gan
from catgan.train.pictures import TrainingPictures
from catgan.train.trainer import Trainer

ROWS: tuple[tuple[str, int, str, str], ...] = (
    ("article", 4, "float32", "off"), ("article", 4, "float32", "on"),
    ("article", 4, "auto", "auto"), ("article", 64, "float32", "off"),
    ("article", 64, "auto", "auto"),
    ("balanced", 8, "float32", "off"), ("balanced", 8, "bfloat16", "off"),
    ("balanced", 8, "float32", "on"), ("balanced", 8, "tf32", "on"),
    ("balanced", 8, "float16", "on"), ("balanced", 8, "bfloat16", "on"),
    ("balanced", 8, "auto", "auto"), ("balanced", 64, "auto", "auto"),
)  # fmt: skip
"""Recipe, batch size, precision, graphs."""
EPOCHS = 60  # of the run from end to end


def main() -> None:
    """Measure everything and say it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--width", type=int, default=WIDTH, help="of both networks, for a dry run")
    parser.add_argument("--device", default="cuda", help="cpu for a dry run")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        print("bench-card needs an NVIDIA GPU, and PyTorch finds none here; nothing was measured.")
        return
    device = torch.device(arguments.device)
    bench = Bench(device, arguments.seconds, arguments.width)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "cats"
        draw_pictures(folder)
        found = bench.everything(folder, Path(temporary) / "run")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


class Bench:
    """Measures on one device."""

    def __init__(self, device: torch.device, seconds: float, width: int) -> None:
        """What to measure on, for how long each, at which width."""
        self.device, self.seconds = device, seconds
        self.widths: dict[str, Any] = {"ngf": width, "ndf": width}

    def everything(self, folder: Path, run: Path) -> dict[str, Any]:
        """Measure and say everything; the figures."""
        name = "the CPU"
        if self.device.type == "cuda":
            major, minor = torch.cuda.get_device_capability(self.device)
            name = f"{torch.cuda.get_device_name(self.device)}, compute capability {major}.{minor}"
        print(f"PyTorch {torch.__version__} on {name}; 500 drawn pictures, {self.widths}\n")
        found: dict[str, Any] = {"device": name, "torch": torch.__version__}
        found["peak"] = {}
        for kind in (torch.float32, torch.bfloat16):
            best = peak(8192 if self.device.type == "cuda" else 512, kind=kind, device=self.device)
            found["peak"][str(kind)] = best
            print(f"a large matrix product in {kind}: {best / 1e12:.1f} TFLOP/s")
        print("\n| | batch | precision | graphs | images/s | of the peak | copies a step |")
        print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
        found["rows"] = []
        for batch in (4, 64):
            rate = self.plain(folder, batch)
            found["rows"].append({"what": "tutorial", "batch": batch, "rate": rate})
            print(f"| the tutorial's loop | {batch} | float32 | | {rate:,.0f} | | |", flush=True)
        for row in ROWS:
            if self.device.type != "cuda" and (row[2] in ("tf32", "float16") or row[3] == "on"):
                continue  # in a dry run
            figures = self.ours(folder, *row)
            found["rows"].append(figures)
            of_peak = figures["flop"] * figures["rate"] / found["peak"][figures["kind"]]
            print(
                f"| {row[0]} | {row[1]} | {figures['precision']} | {figures['graphs']} | "
                f"{figures['rate']:,.0f} | {of_peak:.1%} | {figures['copies']:.2f} |",
                flush=True,
            )
        found["evaluation"] = self.evaluation(folder)
        first, then = found["evaluation"]
        print(f"\nan evaluation of 500 samples: {first:.2f} s the first time, then {then:.2f} s")
        found["run"] = self.run(folder, run)
        print(f"a whole run, its files and one evaluation: {found['run']:,.0f} images/s")
        return found

    def plain(self, folder: Path, batch: int) -> float:
        """Pictures a second of the tutorial's loop."""
        torch.manual_seed(0)
        generator, discriminator = (net.to(self.device) for net in plain_nets())
        loop = plain_loop(
            (generator, discriminator),
            plain_loader(folder, batch),
            lambda count: torch.randn(count, LATENT, device=self.device),
            self.device,
        )
        return self._rate((count for count, _ in loop), warm=5)

    def ours(
        self, folder: Path, recipe: str, batch: int, precision: str, graphs: str
    ) -> dict[str, Any]:
        """Pictures a second of ours, and what a step costs."""
        # without R1, which the counter cannot follow and which is in every eighth step only
        trainer = self._trainer(folder, recipe, batch, precision, graphs="off", r1=0.0)
        with FlopCounterMode(display=False) as counter:
            trainer.step(1)
        flop = counter.get_total_flops() / trainer.images_shown
        trainer = self._trainer(folder, recipe, batch, precision, graphs=graphs)
        loop = our_loop(trainer)
        # enough for everything that recurs to be recorded
        rate = self._rate(loop, warm=12 * trainer.steps_an_epoch if trainer.computing.graphs else 5)
        steps = trainer.epoch * trainer.steps_an_epoch + trainer.step_of_epoch
        computing = trainer.computing
        low = computing.precision in ("bfloat16", "float16")
        return {
            "what": recipe,
            "batch": batch,
            "precision": computing.precision,
            "graphs": computing.graphs,
            "rate": rate,
            "flop": flop,
            "copies": trainer._ahead.sent / steps,
            "kind": str(torch.bfloat16 if low else torch.float32),
        }

    def evaluation(self, folder: Path) -> tuple[float, float]:
        """Seconds of the first evaluation of a run, and of a later one."""
        config = TrainConfig.of_recipe("balanced", **self.widths)
        dataset = open_dataset(folder / "cat")
        assert dataset is not None
        _, pictures, held_out = load_data(dataset, config)
        trainer = Trainer(TrainingPictures(pictures, self.device), config, self.device)
        evaluator = Evaluator(
            train=pictures,
            held_out=held_out,
            config=config,
            extractor=EfficientNetLite0(device=self.device),
            device=self.device,
        )
        times = []
        for epoch in (1, 2):
            wait_for(self.device)
            began = time.perf_counter()
            evaluator.evaluate(
                generator=trainer.generator,
                sampler=trainer.sampler,
                discriminator=trainer.discriminator,
                epoch=epoch,
            )
            times.append(time.perf_counter() - began)
        return times[0], times[1]

    def run(self, folder: Path, run: Path) -> float:
        """Pictures a second of `catgan train` from end to end, all its files written."""
        epochs = EPOCHS if self.device.type == "cuda" else 1
        config = TrainConfig.of_recipe(
            "balanced", epochs=epochs, device=self.device.type, evaluate_every=epochs, **self.widths
        )
        began = time.perf_counter()
        result = train_gan(folder / "cat", run, config)
        return result.images_shown / (time.perf_counter() - began)

    def _trainer(
        self, folder: Path, recipe: str, batch: int, precision: str, **changes: Any
    ) -> Trainer:
        gc.collect()
        return our_trainer(
            folder, recipe, batch, precision, device=self.device, **self.widths, **changes
        )

    def _rate(self, shown: Iterator[int], *, warm: int) -> float:
        """Pictures a second, once some steps are done."""
        for _ in range(warm if self.device.type == "cuda" else 2):
            next(shown)
        wait_for(self.device)
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < self.seconds:
            count += next(shown)
        wait_for(self.device)
        return count / (time.perf_counter() - began)


if __name__ == "__main__":
    main()

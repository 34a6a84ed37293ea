"""How fast training is: `make bench-train`, on drawn pictures, in about six minutes.

The plain loop is the one that most people start from: the PyTorch DCGAN tutorial's, with its loader
and its workers, written out here by itself. Ours is what `catgan train --recipe article` runs. Each
measurement has a process of its own, and they take turns, so that a machine that slows down or has
other work slows both.
"""

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

from catgan.core.files import Json
from catgan.core.pictures import Picture, encode_png
from catgan.formats.datasets import open_dataset
from catgan.measure.extractors.efficientnet import EfficientNetLite0
from catgan.model.networks import Discriminator
from catgan.train.adam import Adam
from catgan.train.config import TrainConfig
from catgan.train.data import load_data
from catgan.train.evaluate import Evaluator
from catgan.train.pictures import TrainingPictures
from catgan.train.step import train_step
from catgan.train.trainer import Trainer

PICTURES = 500
SIDE, LATENT, WIDTH = 64, 100, 64
RATE, BETAS = 2e-4, (0.5, 0.999)
LOADERS = 2  # processes that read pictures in the tutorial
DEMANDED = {4: 1.3, 64: 1.1}  # times the plain loop's pictures a second, by batch size
EVALUATION_SHARE = 0.1  # of a run's time, at most, at the default width of 64
SAME_STEPS = 10
SMALL = 4  # batch up to which float64 is tried: processors are slow at it
CPU = torch.device("cpu")

Losses = tuple[float, float]
"""Of D and of G, in one step."""


def main() -> None:
    """Measure everything and say it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="times that everything has its turn")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each measurement")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--one", help=argparse.SUPPRESS)  # one measurement, in this process
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.one:
        name, *rest = arguments.one.split(",")
        found = MEASUREMENTS[name](arguments.folder, arguments.seconds, *rest)
        print(json.dumps(found))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "cats"
        draw_pictures(folder)
        bench = Bench(folder, arguments.rounds, arguments.seconds, arguments.threads)
        _say_everything(bench)


class Bench:
    """Has measurements made, each in its own process."""

    def __init__(self, folder: Path, rounds: int, seconds: float, threads: int) -> None:
        """Where the pictures are, and how much to measure."""
        self.folder, self.rounds, self.seconds, self.threads = folder, rounds, seconds, threads

    def one(self, name: str) -> Any:
        """One measurement, by its name and what belongs to it, with commas between."""
        line = [sys.executable, "-m", "benchmarks.train", "--one", name]
        line += ["--folder", str(self.folder), "--seconds", str(self.seconds)]
        line += ["--threads", str(self.threads)]
        done = subprocess.run(line, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"The measurement {name} failed:\n{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])

    def in_turns(self, *names: str) -> dict[str, float]:
        """Pictures a second of several, median of as many rounds, one after the other in each."""
        found = defaultdict(list)
        for _ in range(self.rounds):
            for name in names:
                found[name].append(float(self.one(name)))
        return {name: statistics.median(rates) for name, rates in found.items()}


def _say_everything(bench: Bench) -> None:
    began = time.monotonic()
    cores = "1 thread" if bench.threads == 1 else f"{bench.threads} threads"
    print(
        f"PyTorch {torch.__version__} on the processor, {cores}; {PICTURES} drawn pictures of "
        f"{SIDE} x {SIDE}, width {WIDTH}; medians of {bench.rounds} rounds in turns.\n"
    )
    print("Pictures a second, the PyTorch tutorial's loop and `catgan train --recipe article`:")
    for batch, demanded in DEMANDED.items():
        rates = bench.in_turns(f"plain,{batch}", f"ours,article,{batch},float32")
        plain, ours = rates.values()
        verdict = "as demanded" if ours >= demanded * plain else "MISSED"
        print(
            f"  batch {batch:2}: plain {plain:5.1f}, ours {ours:5.1f}: {ours / plain:.2f} times "
            f"(at least {demanded}: {verdict})",
            flush=True,
        )

    print("\nThe same weights, pictures and latents: how far a loss differs in step 1, 2, ...,")
    for batch in DEMANDED:
        same = bench.one(f"same,{batch}")
        print(f"  batch {batch:2}, ours from the plain loop     {_few(same['ours'])}")
        print(f"    the plain loop, laid out otherwise  {_few(same['itself'])}")
        if same["double"] is not None:
            steps = len(same["ours"])
            print(f"    ours from the plain loop in float64, {steps} steps: {same['double']:.0e}")
        sys.stdout.flush()

    print("\nWhere the time of our step goes:")
    for batch in DEMANDED:
        where = bench.one(f"where,{batch}")
        print(
            f"  batch {batch:2}: {where['flop'] / batch / 1e9:.2f} GFLOP a picture, "
            f"{where['rate'] / 1e9:.0f} GFLOP/s: {where['rate'] / where['peak']:.0%} of the "
            f"{where['peak'] / 1e9:.0f} of a large matrix product"
        )
        for name, share in where["shares"].items():
            print(f"    {share:6.1%}  {name}")

    slower = bench.one(f"adam,{SMALL}")
    print(
        f"\nA step with PyTorch's default Adam takes {slower:.2f} times as long at batch {SMALL}."
    )

    print("\nPictures a second at batch 8:")
    names = ("article,8,float32", "balanced,8,float32", "balanced,8,bfloat16")
    rates = bench.in_turns(*(f"ours,{name}" for name in names))
    article, balanced, low = rates.values()
    print(
        f"  `article` {article:.1f}; `balanced` {balanced:.1f} ({balanced / article:.2f} times); "
        f"`balanced` in bfloat16 {low:.1f}\n  ({low / balanced:.2f} times that in float32)",
        flush=True,
    )

    print("\nMeasuring the run (500 samples) at the default interval, over all its epochs:")
    for recipe, batch in (("balanced", 8), ("article", 4)):
        share = bench.one(f"evaluation,{recipe},{batch}")
        verdict = "as demanded" if share["share"] <= EVALUATION_SHARE else "MISSED"
        print(
            f"  `{recipe}`, batch {batch}: {share['first']:.1f} s once, then "
            f"{share['seconds']:.1f} s every {share['pictures']} pictures, which train for "
            f"{share['training']:.0f} s: {share['share']:.1%} of the time\n"
            f"  (at most {EVALUATION_SHARE:.0%}: {verdict})",
            flush=True,
        )
    print(f"\n{(time.monotonic() - began) / 60:.1f} minutes.")


def _few(differences: list[float]) -> str:
    return " ".join(f"{difference:.0e}" for difference in differences)


def draw_pictures(folder: Path) -> None:
    """Blots of fur colours, some noise: as hard to read as small photos are.

    They lie in a folder of a folder, where torchvision looks for the pictures of one class.
    """
    (folder / "cat").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for index in range(PICTURES):
        (folder / "cat" / f"{index:04}.png").write_bytes(encode_png(_draw_picture(rng)))


def _draw_picture(rng: np.random.Generator) -> Picture:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    picture = np.empty((SIDE, SIDE, 3))
    picture[:] = rng.uniform(40, 200, 3) + 40 * (x * rng.normal() + y * rng.normal())[..., None]
    for _ in range(6):
        cx, cy = rng.uniform(-0.3, 0.3, 2)
        inside = ((x - cx) / rng.uniform(0.1, 0.3)) ** 2 + ((y - cy) / rng.uniform(0.1, 0.3)) ** 2
        picture[inside < 1] = rng.uniform(20, 230, 3)
    return (picture + rng.normal(0, 6, picture.shape)).clip(0, 255).astype(np.uint8)


# The plain loop -----------------------------------------------------------------------------------


def plain_nets() -> tuple[nn.Sequential, nn.Sequential]:
    """Generator and discriminator as the tutorial has them."""

    def up(before: int, after: int, stride: int, padding: int) -> list[nn.Module]:
        convolution = nn.ConvTranspose2d(before, after, 4, stride, padding, bias=False)
        return [convolution, nn.BatchNorm2d(after), nn.ReLU(True)]

    def down(before: int, after: int) -> list[nn.Module]:
        convolution = nn.Conv2d(before, after, 4, 2, 1, bias=False)
        return [convolution, nn.BatchNorm2d(after), nn.LeakyReLU(0.2, inplace=True)]

    generator = nn.Sequential(
        *up(LATENT, WIDTH * 8, 1, 0),
        *up(WIDTH * 8, WIDTH * 4, 2, 1),
        *up(WIDTH * 4, WIDTH * 2, 2, 1),
        *up(WIDTH * 2, WIDTH, 2, 1),
        nn.ConvTranspose2d(WIDTH, 3, 4, 2, 1, bias=False),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(3, WIDTH, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2, inplace=True),
        *down(WIDTH, WIDTH * 2),
        *down(WIDTH * 2, WIDTH * 4),
        *down(WIDTH * 4, WIDTH * 8),
        nn.Conv2d(WIDTH * 8, 1, 4, 1, 0, bias=False),
        nn.Sigmoid(),
    )
    for module in (*generator, *discriminator):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
    return generator, discriminator


def plain_loop(
    nets: tuple[nn.Module, nn.Module],
    loader: Iterable[tuple[Tensor, Tensor]],
    latents: Callable[[int], Tensor],
    device: torch.device = CPU,
) -> Iterator[tuple[int, Losses]]:
    """Train as the tutorial does, for ever.

    Args:
        nets: Generator and discriminator.
        loader: Batches of pictures and classes.
        latents: So many latents, (N, 100), on the device.
        device: Where the networks are.

    Yields:
        After each step, its pictures and its losses.
    """
    generator, discriminator = nets
    criterion = nn.BCELoss()
    adam_d = torch.optim.Adam(discriminator.parameters(), lr=RATE, betas=BETAS)
    adam_g = torch.optim.Adam(generator.parameters(), lr=RATE, betas=BETAS)
    while True:
        for batch, _ in loader:
            discriminator.zero_grad()
            real = batch.to(device)
            label = torch.full((len(real),), 1.0, dtype=real.dtype, device=device)
            output = discriminator(real).view(-1)
            loss_real = criterion(output, label)
            loss_real.backward()
            output.mean().item()
            fake = generator(latents(len(real))[:, :, None, None])
            label.fill_(0.0)
            output = discriminator(fake.detach()).view(-1)
            loss_fake = criterion(output, label)
            loss_fake.backward()
            output.mean().item()
            loss_d = loss_real + loss_fake
            adam_d.step()
            generator.zero_grad()
            label.fill_(1.0)
            output = discriminator(fake).view(-1)
            loss_g = criterion(output, label)
            loss_g.backward()
            output.mean().item()
            adam_g.step()
            yield len(real), (loss_d.item(), loss_g.item())


def plain_loader(folder: Path, batch: int, order: list[int] | None = None) -> "DataLoader[Any]":
    """The tutorial's: each picture read and turned into numbers each time, by two workers."""
    from torchvision import datasets, transforms

    change = transforms.Compose(
        [
            transforms.Resize(SIDE),
            transforms.CenterCrop(SIDE),
            transforms.ToTensor(),
            transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        ]
    )
    pictures = datasets.ImageFolder(str(folder), transform=change)
    if order is not None:
        return DataLoader(pictures, batch_size=batch, sampler=order, num_workers=LOADERS)
    return DataLoader(pictures, batch_size=batch, shuffle=True, num_workers=LOADERS)


# Ours ---------------------------------------------------------------------------------------------


def our_trainer(
    folder: Path,
    recipe: str,
    batch: int,
    precision: str = "float32",
    *,
    device: torch.device = CPU,
    **changes: Any,
) -> Trainer:
    """As `catgan train` makes it, but that it holds nothing out."""
    config = TrainConfig.of_recipe(
        recipe, batch_size=batch, precision=precision, held_out=0, **changes
    )
    dataset = open_dataset(folder / "cat")
    assert dataset is not None
    _, pictures, _ = load_data(dataset, config)
    return Trainer(TrainingPictures(pictures, device), config, device)


def our_loop(trainer: Trainer) -> Iterator[int]:
    """Train for ever; after each step, its pictures."""
    while True:
        before = trainer.images_shown
        trainer.step()
        shown = trainer.images_shown - before
        if trainer.epoch_is_over:
            trainer.end_epoch()
        yield shown


# Measurements -------------------------------------------------------------------------------------


def images_per_second(shown: Iterator[int], seconds: float) -> float:
    """After some steps to warm up."""
    for _ in range(3):
        next(shown)
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        count += next(shown)
    return count / (time.perf_counter() - began)


def measure_plain(folder: Path, seconds: float, batch: str) -> float:
    """Pictures a second of the plain loop."""
    torch.manual_seed(0)
    loop = plain_loop(
        plain_nets(), plain_loader(folder, int(batch)), lambda count: torch.randn(count, LATENT)
    )
    return images_per_second((count for count, _ in loop), seconds)


def measure_ours(folder: Path, seconds: float, recipe: str, batch: str, precision: str) -> float:
    """Pictures a second of ours."""
    return images_per_second(our_loop(our_trainer(folder, recipe, int(batch), precision)), seconds)


def measure_same(folder: Path, _: float, batch: str) -> Json:
    """Both from our weights, in our order of pictures, with our latents: how far losses differ.

    Training magnifies: Adam's first steps go by the signs of gradients, so that the last digit of
    one that is nearly 0 decides a whole step. So beside ours stands the plain loop itself, with its
    numbers in another order in memory; and in float64 the last digit is far away.
    """
    count = int(batch)
    plain = _plain_losses(folder, count)
    ours = _differences(_our_losses(folder, count), plain)
    itself = _differences(_plain_losses(folder, count, layout=torch.channels_last), plain)
    double = None
    if count <= SMALL:  # a processor is slow at it
        exact = _plain_losses(folder, count, kind=torch.float64)
        double = max(_differences(_our_losses(folder, count, kind=torch.float64), exact))
    return {"ours": ours, "itself": itself, "double": double}


def _steps(batch: int) -> int:
    return min(SAME_STEPS, PICTURES // batch)  # within one epoch


def _differences(ours: list[Losses], theirs: list[Losses]) -> list[float]:
    return [
        max(abs(a - b) for a, b in zip(one, other, strict=True))
        for one, other in zip(ours, theirs, strict=True)
    ]


def _our_losses(folder: Path, batch: int, kind: torch.dtype = torch.float32) -> list[Losses]:
    """The trainer's; in float64 the same step, on what the trainer would give it."""
    trainer = our_trainer(folder, "article", batch)
    losses: list[Losses] = []
    if kind == torch.float32:
        before = (0.0, 0.0)
        for step in range(1, _steps(batch) + 1):
            trainer.step()
            means = trainer.means()  # over the epoch so far
            sums = (means["loss_d"] * step, means["loss_g"] * step)
            losses.append((sums[0] - before[0], sums[1] - before[1]))
            before = sums
        return losses
    assert isinstance(trainer.discriminator, Discriminator)
    nets = trainer.generator.to(kind), trainer.discriminator.to(kind)
    adams = [Adam(net, rate=RATE, betas=BETAS) for net in nets]
    latents = _latents_of(trainer)
    for real, _ in itertools.islice(_loader_of(folder, trainer), _steps(batch)):
        terms = train_step(
            generator=nets[0],
            discriminator=nets[1],
            optimizer_g=adams[0],
            optimizer_d=adams[1],
            real=real.to(kind),
            latents=latents(len(real)).to(kind),
        )
        losses.append((float(terms.loss_d), float(terms.loss_g)))
    return losses


def _plain_losses(
    folder: Path,
    batch: int,
    *,
    kind: torch.dtype = torch.float32,
    layout: torch.memory_format = torch.contiguous_format,
) -> list[Losses]:
    trainer = our_trainer(folder, "article", batch)  # where to start from, and in which order
    nets = plain_nets()
    for net, start in zip(nets, (trainer.generator, trainer.discriminator), strict=True):
        state = start.state_dict()
        net.load_state_dict({name.removeprefix("main."): state[name] for name in state})
        net.to(kind).to(memory_format=layout)
    latents = _latents_of(trainer)
    batches = ((real.to(kind), kinds) for real, kinds in _loader_of(folder, trainer))
    loop = plain_loop(nets, batches, lambda count: latents(count).to(kind))
    return [losses for _, losses in itertools.islice(loop, _steps(batch))]


def _loader_of(folder: Path, trainer: Trainer) -> "DataLoader[Any]":
    """The tutorial's loader, in the order in which the trainer is about to show the pictures."""
    return plain_loader(folder, trainer.config.batch_size, trainer.state()["order"].tolist())


def _latents_of(trainer: Trainer) -> Callable[[int], Tensor]:
    """The latents that the trainer is about to draw."""
    random = torch.Generator()
    random.set_state(trainer.state()["random"].clone())
    return lambda count: torch.randn(count, LATENT, generator=random)


KINDS = {  # of operations, by how their names begin; the first that fits
    "convolutions, backward": ("aten::convolution_backward",),
    "convolutions, forward": ("aten::mkldnn_convolution", "aten::_convolution", "aten::conv"),
    "matrix products of the first and the last layer": ("aten::mm", "aten::addmm", "aten::addmv"),
    "Adam": ("aten::_fused_adam", "Optimizer.step"),
    "batch norm": ("aten::native_batch_norm",),
    "activations": (
        "aten::leaky_relu", "aten::threshold", "aten::clamp_min", "aten::tanh", "aten::relu",
    ),
    "copies and memory": (
        "aten::copy_", "aten::empty", "aten::cat", "aten::clone", "aten::fill_", "aten::zero",
        "Optimizer.zero_grad", "aten::add_",
    ),
}  # fmt: skip
REST = "everything else, starting operations included"


def measure_where(folder: Path, seconds: float, batch: str) -> Json:
    """Operations in a step and a second, the machine's best, and shares of the time."""
    loop = our_loop(our_trainer(folder, "article", int(batch)))
    rate = images_per_second(loop, seconds)
    with FlopCounterMode(display=False) as counter:
        next(loop)
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        for _ in range(max(3, 60 // int(batch))):
            next(loop)
    times: dict[str, float] = dict.fromkeys([*KINDS, REST], 0.0)
    for event in profiler.key_averages():
        fits = (kind for kind, starts in KINDS.items() if event.key.startswith(starts))
        times[next(fits, REST)] += event.self_cpu_time_total
    total = sum(times.values())
    flop = counter.get_total_flops()
    return {
        "flop": flop,
        "rate": flop / int(batch) * rate,
        "peak": peak(),
        "shares": {kind: spent / total for kind, spent in times.items()},
    }


def peak(
    side: int = 2048,
    tries: int = 12,
    *,
    kind: torch.dtype = torch.float32,
    device: torch.device = CPU,
) -> float:
    """Operations a second of a product of two large matrices, median."""
    one, other = (torch.randn(side, side, device=device).to(kind) for _ in range(2))
    times = []
    for _ in range(tries):
        wait_for(device)
        began = time.perf_counter()
        torch.mm(one, other)
        wait_for(device)
        times.append(time.perf_counter() - began)
    return 2 * side**3 / statistics.median(times[2:])


def wait_for(device: torch.device) -> None:
    """Until a GPU has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measure_adam(folder: Path, seconds: float, batch: str) -> float:
    """Time of a step with the Adam that PyTorch picks by default over that of ours, median."""
    ours, plain = (our_trainer(folder, "article", int(batch)) for _ in range(2))
    for optimizer in (plain._optimizer_g, plain._optimizer_d):
        optimizer.param_groups[0] |= {"fused": False, "foreach": None}
    loops = our_loop(ours), our_loop(plain)
    slices = 8
    ratios = []
    for _ in range(slices):
        rate, default = (images_per_second(loop, seconds / slices) for loop in loops)
        ratios.append(rate / default)
    return statistics.median(ratios)


def measure_evaluation(folder: Path, seconds: float, recipe: str, batch: str) -> Json:
    """One evaluation, the training between two of them, and their share of a whole run."""
    config = TrainConfig.of_recipe(recipe, batch_size=int(batch), device="cpu")
    dataset = open_dataset(folder / "cat")
    assert dataset is not None
    _, pictures, held_out = load_data(dataset, config)
    trainer = Trainer(TrainingPictures(pictures, CPU), config, CPU)
    rate = images_per_second(our_loop(trainer), seconds)
    evaluator = Evaluator(
        train=pictures,
        held_out=held_out,
        config=config,
        extractor=EfficientNetLite0(),
        device=CPU,
    )
    times = []
    for epoch in (1, 2):  # the first one looks at the real pictures too, once in a run
        began = time.perf_counter()
        evaluation = evaluator.evaluate(
            generator=trainer.generator,
            sampler=trainer.sampler,
            discriminator=trainer.discriminator,
            epoch=epoch,
        )
        times.append(time.perf_counter() - began)
    assert evaluation.kid is not None
    due = [
        epoch
        for epoch in range(1, config.epochs + 1)
        if config.evaluates_after(epoch, pictures=len(pictures))
    ]
    measuring = times[0] + (len(due) - 1) * times[1]
    return {
        "first": times[0],
        "seconds": times[1],
        "pictures": due[0] * len(pictures),
        "training": due[0] * len(pictures) / rate,
        "share": measuring / (measuring + config.epochs * len(pictures) / rate),
    }


MEASUREMENTS: dict[str, Callable[..., Any]] = {
    "plain": measure_plain,
    "ours": measure_ours,
    "same": measure_same,
    "where": measure_where,
    "adam": measure_adam,
    "evaluation": measure_evaluation,
}


if __name__ == "__main__":
    main()

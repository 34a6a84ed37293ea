"""Other programs on the same crops and the same processor, beside `benchmarks/study.py`.

    python -m benchmarks.peers example STUDY SCRIPT --minutes 20
    python -m benchmarks.peers diffusion STUDY --minutes 20

`example` runs a copy of `dcgan/main.py` of https://github.com/pytorch/examples as it comes (SCRIPT
is its path): batches of 64, its own loader. `diffusion` trains a small denoising diffusion model
(Ho et al. 2020, arXiv:2006.11239) with the package denoising-diffusion-pytorch, which must be
installed. Both get the 500 training pictures of STUDY/data/face-crop and that many minutes of
processor time, and leave folders of samples, STUDY/peers/NAME/MINUTES, which `study measure` gives
to the judges. Processor time and not the clock, since other programs may run beside.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.study import HELD_OUT
from catgan.core.pictures import Pictures
from catgan.formats.datasets import FACE_CROP, groups_of, held_out, open_dataset
from catgan.model.networks import Generator

PARTS = 4  # times that samples are taken from a run
SAMPLES = 500
FEW_SAMPLES, STEPS = 100, 25  # of the diffusion model, which needs as many passes for each batch
SEED = 0


def lay_out(study: Path, folder: Path) -> Path:
    """The pictures trained on, as torchvision's `ImageFolder` wants them: one class, as links."""
    dataset = open_dataset(study / "data" / FACE_CROP)
    assert dataset is not None, "run `study data` first"
    train, _ = held_out(dataset.files, HELD_OUT, groups_of(dataset))
    place = folder / "images" / "cat"
    place.mkdir(parents=True, exist_ok=True)
    for name in train:
        if not (place / name).exists():
            (place / name).symlink_to((dataset.pictures / name).resolve())
    return folder / "images"


def marks(minutes: float) -> list[float]:
    """The minutes at which samples are taken: the last mark is the end."""
    return [minutes * (part + 1) / PARTS for part in range(PARTS)]


def write(folder: Path, minutes: float, pictures: Pictures, images_shown: int) -> None:
    """Keep samples, and what they took."""
    place = folder / f"{minutes:g}"
    place.mkdir(parents=True, exist_ok=True)
    for index, picture in enumerate(pictures):
        Image.fromarray(picture).save(place / f"{index:04d}.png")
    with (folder / "marks.jsonl").open("a", encoding="utf-8") as out:
        out.write(json.dumps({"minutes": minutes, "images_shown": images_shown}) + "\n")
    print(f"{folder.name}: {images_shown} images in {minutes:g} minutes", flush=True)


def processor_seconds(pid: int) -> float:
    """Of a process and of those that it started and that have ended: its loader's, each epoch."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def run_example(study: Path, script: Path, minutes: float) -> None:
    """The script as it comes, ended after its minutes; samples from the networks it saved."""
    folder = study / "peers" / "dcgan-example"
    shutil.rmtree(folder, ignore_errors=True)
    images, out = lay_out(study, folder), folder / "out"
    line = [sys.executable, str(script), "--dataset", "folder", "--dataroot", str(images)]
    line += ["--niter", "100000", "--outf", str(out), "--manualSeed", "1"]
    taken = iter(marks(minutes))
    mark = next(taken)
    with (folder / "log.txt").open("w") as log:
        alone = {**os.environ, "OMP_NUM_THREADS": "1"}  # one thread, as ours
        child = subprocess.Popen(line, stdout=log, stderr=log, env=alone)
        while child.poll() is None:
            time.sleep(1)
            saved = sorted(out.glob("netG_epoch_*.pth"), key=_epoch)
            for old in saved[:-2]:  # the script keeps them all
                old.unlink()
                (out / old.name.replace("netG", "netD")).unlink(missing_ok=True)
            if len(saved) > 1 and processor_seconds(child.pid) >= mark * 60:
                epoch = _epoch(saved[-2])  # the last may be half written
                write(folder, mark, sample_example(saved[-2]), (epoch + 1) * 500)
                mark = next(taken, 0.0)
                if not mark:
                    child.send_signal(signal.SIGTERM)
                    break
        child.wait()


def _epoch(path: Path) -> int:
    return int(path.stem.rpartition("_")[2])


@torch.no_grad()
def sample_example(path: Path) -> Pictures:
    """Samples of a network that the script saved, in batches of 64, normalised as there."""
    layers: dict[str, Tensor] = torch.load(path, weights_only=True)
    generator = Generator(latent_dim=100, ngf=64, size=64)
    own = generator.state_dict()
    assert [value.shape for value in own.values()] == [value.shape for value in layers.values()]
    generator.load_state_dict(dict(zip(own, layers.values(), strict=True)))
    generator.train()
    rng = torch.Generator().manual_seed(SEED)
    batches = []
    for _ in range(-(-SAMPLES // 64)):
        batches.append(generator(torch.randn(64, 100, generator=rng)))
    return to_pictures(torch.cat(batches)[:SAMPLES] * 0.5 + 0.5)


def to_pictures(images: Tensor) -> Pictures:
    """(N, H, W, 3) uint8 of (N, 3, H, W), 0 to 1."""
    scaled = (images.clamp(0, 1) * 255).round().to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(0, 2, 3, 1).numpy())


def run_diffusion(study: Path, minutes: float) -> None:
    """A small model on noise predicted, with its average; sampled in few steps (DDIM)."""
    from denoising_diffusion_pytorch import GaussianDiffusion, Unet
    from ema_pytorch import EMA

    folder = study / "peers" / "diffusion"
    shutil.rmtree(folder, ignore_errors=True)
    images = lay_out(study, folder)
    torch.manual_seed(SEED)
    net = Unet(dim=32, dim_mults=(1, 2, 4), flash_attn=False)
    model = GaussianDiffusion(net, image_size=64, timesteps=1000, sampling_timesteps=STEPS)
    average = EMA(model, beta=0.995, update_every=10)
    adam = torch.optim.Adam(model.parameters(), lr=2e-4, betas=(0.9, 0.99))
    shown, spent, began = 0, 0.0, time.process_time()
    batches = flipped_batches(images, 16)
    for mark in (minutes / 2, minutes):
        while spent + time.process_time() - began < mark * 60:
            loss = model(next(batches))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
            adam.zero_grad()
            average.update()
            shown += 16
        spent += time.process_time() - began
        sampled = [average.ema_model.sample(batch_size=50) for _ in range(FEW_SAMPLES // 50)]
        write(folder, mark, to_pictures(torch.cat(sampled)), shown)
        began = time.process_time()  # sampling is not counted


def flipped_batches(images: Path, batch_size: int) -> Iterator[Tensor]:
    """Endless batches of pictures, each mirrored every other time, (B, 3, 64, 64), 0 to 1."""
    files = sorted((images / "cat").iterdir())
    pictures = torch.from_numpy(np.stack([np.asarray(Image.open(file)) for file in files]))
    pictures = pictures.permute(0, 3, 1, 2).float() / 255
    while True:
        chosen = pictures[torch.randint(len(pictures), (batch_size,))]
        mirrored = torch.rand(batch_size, 1, 1, 1) < 0.5
        yield torch.where(mirrored, chosen.flip(3), chosen)


def main() -> None:
    """Read the arguments and run one of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = parser.add_subparsers(dest="part", required=True)
    for name in ("example", "diffusion"):
        part = parts.add_parser(name)
        part.add_argument("study", type=Path)
        if name == "example":
            part.add_argument("script", type=Path)
        part.add_argument("--minutes", type=float, default=20)
    given: Any = parser.parse_args()
    torch.set_num_threads(1)
    runs: dict[str, Callable[[], None]] = {
        "example": lambda: run_example(given.study, given.script, given.minutes),
        "diffusion": lambda: run_diffusion(given.study, given.minutes),
    }
    runs[given.part]()


if __name__ == "__main__":
    main()

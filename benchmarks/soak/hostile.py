"""Files that are read back and hold anything; pipes, devices and endless links in their place."""

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.soak.ground import Ground
from benchmarks.soak.outcome import Ended, Row, run, run_here

NASTY: tuple[Any, ...] = (
    None, True, -1, 0, 2**63, 10**30, -(10**30), 1e308, "", "x", "\ud800", "../..", "/dev/zero",
    [], [1], {}, {"a": {}}, "x" * 100_000, 0.5, "NaN",
)  # fmt: skip
RAW: tuple[bytes, ...] = (
    b"", b"{", b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe\x00", bytes(1000), b"null", b"[1, 2]",
    b'{"epoch": NaN}', b'{"epoch": 1e999}', b'{"epoch": ' + b"9" * 5000 + b"}",
    b'{"path": "\\ud800"}', b"\n" * 1000, b'"' + b"x" * 1_000_000,
)  # fmt: skip

# File -> the commands that read it; each must end well, or with one sentence.
READERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "curated/catgan.json": (("inspect", "curated"), Ground.curate("--dry-run")),
    "curated/photos.jsonl": (("inspect", "curated"),),
    "curated/full-body/train/metadata.jsonl": (("inspect", "curated"),),
    "runs/full-body/config.json": (
        ("compare", "full-body", "--dry-run"),
        ("sample", "full-body", "--dry-run"),
        Ground.train("--dry-run"),
    ),
    "runs/full-body/stats.jsonl": (("compare", "full-body", "--dry-run"),),
    "raw/demo.jsonl": (("demo", "raw", "--album-only", "--photos", "24", "--dry-run"),),
    "settings.toml": (("curate", "raw", "other", "--dry-run", "--config", "settings.toml"),),
    "recipe.toml": (("curate", "raw", "other", "--dry-run", "--cascade", "recipe.toml"),),
}
JOURNAL = Ground.curate("--dry-run")
MADE = {
    "settings.toml": 'size = 32\nmargin = 0.5\nworkers = 1\nfaces = "all"\n',
    "recipe.toml": "side = 320\nturns = [0]\nmin_size = 0.1\nmin_score = 0.0\n\n[[cascade]]\n"
    'file = "haarcascade_frontalcatface.xml"\nscale_step = 1.2\nmin_neighbors = 2\n',
}


def files(ground: Ground, place: Path, dice: random.Random, tries: int) -> Iterator[Row]:
    """Spoil one file at a time, in one place of it, and have it read."""
    folder = ground.copy(place)
    for name, text in MADE.items():
        (folder / name).write_text(text, encoding="utf-8")
    journal = next((folder / "curated").glob(".findings-*.jsonl")).relative_to(folder)
    readers = {**READERS, str(journal): (JOURNAL,)}
    before = Path.cwd()
    os.chdir(folder)
    try:
        for name, lines in readers.items():
            row = Row(kind=f"spoiled: {'journal' if name == str(journal) else Path(name).name}")
            path = folder / name
            whole = path.read_bytes()
            for number in range(max(1, tries // len(readers))):
                path.write_bytes(spoil(whole, path.suffix, dice))
                line = lines[number % len(lines)]
                ended = run_here(line)
                row.add(_fault(ended), f"{' '.join(line)} on {path.read_bytes()[:200]!r}")
            path.write_bytes(whole)
            yield row
    finally:
        os.chdir(before)


def checkpoints(ground: Ground, place: Path, dice: random.Random, tries: int) -> Iterator[Row]:
    """Checkpoints with a value that cannot be, or bytes flipped."""
    import torch

    row = Row(kind="spoiled: last.pt")
    folder = ground.copy(place)
    path = folder / "runs" / "full-body" / "checkpoints" / "last.pt"
    (folder / "runs" / "full-body" / "checkpoints" / "best.pt").unlink(missing_ok=True)
    whole = path.read_bytes()
    state = torch.load(path, weights_only=True)
    before = Path.cwd()
    os.chdir(folder)
    try:
        for number in range(tries):
            if number % 2:
                path.write_bytes(spoil(whole, ".pt", dice))
                what = "bytes"
            else:
                key = dice.choice(sorted(state))
                value = dice.choice(
                    (*NASTY, float("nan"), torch.tensor(float("nan")), torch.ones(3))
                )
                torch.save({**state, key: value}, path)
                what = f"{key} = {str(value)[:40]}"
            line = dice.choice((("sample", "full-body", "--dry-run"), Ground.train(epochs=4)))
            row.add(_fault(run_here(line)), f"{' '.join(line)}: {what}")
            shutil.rmtree(folder / "runs")
            shutil.copytree(ground.folder / "runs", folder / "runs")
            (folder / "runs" / "full-body" / "checkpoints" / "best.pt").unlink(missing_ok=True)
    finally:
        os.chdir(before)
    yield row


def spoil(whole: bytes, suffix: str, dice: random.Random) -> bytes:
    """A file's contents, changed somewhere."""
    how = dice.randrange(6)
    if how == 0:
        return dice.choice(RAW)
    if how == 1:
        return whole[: dice.randrange(len(whole) + 1)]
    if how == 2:
        spoiled = bytearray(whole)
        for _ in range(dice.choice((1, 8))):
            spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
        return bytes(spoiled)
    if suffix in (".json", ".jsonl"):
        lines = [whole] if suffix == ".json" else whole.splitlines()
        place = dice.randrange(len(lines))
        record = json.loads(lines[place])
        _spoil_value(record, dice)
        lines[place] = json.dumps(record).encode("utf-8", "surrogatepass")
        return b"\n".join(lines) + b"\n"
    if suffix == ".toml":
        lines = whole.splitlines()
        places = [index for index, line in enumerate(lines) if b"=" in line]
        place = dice.choice(places)
        name = lines[place].split(b"=")[0]
        values = (
            b"-1", b"1e9", b"inf", b"nan", b"[]", b"[nan]", b'"x"', b"true", b"{}", b"[1,2]",
            b"10000000000000000000000000", b"1.0000001", b"1979-05-27", b"0", b"''",
        )  # fmt: skip
        lines[place] = name + b"= " + dice.choice(values)
        return b"\n".join(lines) + b"\n"
    return whole[: len(whole) // 2] + bytes(64) + whole[len(whole) // 2 :]


def _spoil_value(record: Any, dice: random.Random) -> None:
    """Put something nasty somewhere into a JSON value."""
    while True:
        if isinstance(record, dict) and record:
            key: Any = dice.choice(sorted(record))
        elif isinstance(record, list) and record:
            key = dice.randrange(len(record))
        else:
            return
        if isinstance(record[key], dict | list) and record[key] and dice.random() < 0.7:
            record = record[key]
            continue
        if isinstance(record, dict) and dice.random() < 0.2:
            del record[key]
        else:
            record[key] = dice.choice(NASTY)
        return


def no_files(ground: Ground, place: Path) -> Iterator[Row]:
    """A pipe, a device or an endless link where a file is expected."""
    row = Row(kind="pipes, devices, endless links")
    lines: dict[str, tuple[tuple[str, ...], ...]] = {
        **READERS,
        "raw/IMG_0003.jpg": (Ground.curate("--workers", "1"),),
        "curated/full-body/train": (),
        "runs/full-body/checkpoints/last.pt": (
            ("sample", "full-body", "--checkpoint", "last"),
            Ground.train(epochs=4),
        ),
        "runs/full-body/samples/epoch_0001.png": (("sample", "full-body", "--timelapse", "t.gif"),),
    }
    makers: tuple[Callable[[Path], None], ...] = (
        os.mkfifo,
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.symlink_to(path),
    )
    for name, commands in lines.items():
        for line in commands:
            for make in makers:
                folder = ground.copy(place)
                for made, text in MADE.items():
                    (folder / made).write_text(text, encoding="utf-8")
                path = folder / name
                path.unlink(missing_ok=True)
                make(path)
                ended = run(line, cwd=folder, timeout=60)
                row.add(_fault(ended), f"{' '.join(line)}: {name}")
    folder = ground.copy(place)
    picture = next((folder / "curated" / "full-body" / "train").glob("*.png"))
    for make in makers:
        picture.unlink(missing_ok=True)
        make(picture)
        for line in (("inspect", "curated"), Ground.train("--runs", "others")):
            row.add(_fault(run(line, cwd=folder, timeout=60)), f"{' '.join(line)}: {picture.name}")
    yield row


LARGE: tuple[tuple[str, ...], ...] = (
    ("curate", "raw", "new", "--max-megapixels", "inf"),
    ("curate", "raw", "new", "--max-megapixels", "nan"),
    ("curate", "raw", "new", "--margin", "nan"),
    ("curate", "raw", "new", "--workers", "2147483648"),
    ("curate", "raw", "new", "--workers", "1000000000"),
    ("curate", "raw", "new", "--min-face", "99999999999999999999"),
    ("train", "curated", "--ngf", "1000000000"),
    ("train", "curated", "--ndf", "1000000000"),
    ("train", "curated", "--latent-dim", "1000000000"),
    ("train", "curated", "--size", "1073741824"),
    ("train", "curated", "--batch-size", "1000000000000"),
    ("train", "curated", "--lr-g", "nan"),
    ("train", "curated", "--r1", "inf"),
    ("train", "curated", "--seed", "99999999999999999999"),
    ("train", "curated", "--checkpoint-minutes", "nan"),
    ("train", "curated", "--average-kimg", "nan"),
    ("train", "curated", "--evaluate-samples", "1000000000000"),
    ("compare", "full-body", "--seed", "4294967296"),
    ("compare", "full-body", "--samples", "1000000000"),
    ("compare", "full-body", "--faces", "99999999999999999999"),
    ("sample", "full-body", "--count", "1000000000"),
    ("sample", "full-body", "--scale", "1000000"),
    ("demo", "new", "--workers", "2147483648"),
    ("demo", "new", "--seed", "4294967296"),
)


def numbers(ground: Ground, place: Path) -> Iterator[Row]:
    """Numbers that are too large, or none: refused at once."""
    row = Row(kind="numbers too large")
    folder = ground.copy(place)
    for line in LARGE:
        ended = run(line, cwd=folder, timeout=60)
        fault = ended.fault(codes=(1, 2))
        if fault is None and ended.seconds > 20:
            fault = f"only after {ended.seconds:.0f} s"
        row.add(fault, " ".join(line))
    yield row


def _fault(ended: Ended) -> str | None:
    return ended.fault(codes=(0, 1, 2))

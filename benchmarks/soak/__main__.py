"""`make soak`: every kind of fault, with a seed, in bounded time; a table says what came of it.

    python -m benchmarks.soak --seed 0 --scale 1
    python -m benchmarks.soak --only interrupts,streams

`--scale 1` takes about an hour on two cores, half of it for clusters; 100,000 spoiled files are a
scale of 25.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.soak import cluster, hostile, outputs, ranks, stops
from benchmarks.soak.ground import Ground, make_ground
from benchmarks.soak.outcome import Row

Campaign = Callable[[Ground, Path, random.Random, float], Iterator[Row]]

CAMPAIGNS: dict[str, Campaign] = {
    "kills": lambda g, p, r, s: stops.kills(g, p, r, max(2, round(12 * s))),
    "interrupts": lambda g, p, r, s: stops.interrupts(g, p, r, max(3, round(12 * s))),
    "workers": lambda g, p, r, s: stops.workers(g, p, r, max(1, round(4 * s))),
    "ranks": lambda g, p, r, s: ranks.ranks(g, p, r, max(2, round(4 * s))),
    "files": lambda g, p, r, s: hostile.files(g, p, r, round(4000 * s)),
    "checkpoints": lambda g, p, r, s: hostile.checkpoints(g, p, r, round(200 * s)),
    "no-files": lambda g, p, r, s: hostile.no_files(g, p),
    "numbers": lambda g, p, r, s: hostile.numbers(g, p),
    "streams": lambda g, p, r, s: outputs.streams(g, p),
    "too-large": lambda g, p, r, s: outputs.too_large(g, p),
    "full-disk": lambda g, p, r, s: outputs.full_disk(g, p),
    "no-permission": lambda g, p, r, s: outputs.no_permission(g, p),
    "parts": lambda g, p, r, s: cluster.parts(g, p, r, max(1, round(4 * s))),
    "cluster": lambda g, p, r, s: cluster.cluster(g, p, r, max(1, round(4 * s))),
}


def main() -> None:
    """Run the campaign; the exit status is 1 where anything did not end as promised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=float, default=1.0, help="times the usual number of tries")
    parser.add_argument("--only", default="", help=f"of {', '.join(CAMPAIGNS)}")
    arguments = parser.parse_args()
    chosen = [name for name in arguments.only.split(",") if name] or list(CAMPAIGNS)
    began, bad = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as temporary:
        ground = make_ground(Path(temporary) / "ground")
        print(f"seed {arguments.seed}, scale {arguments.scale:g}\n\n| kind | tries | bad |")
        print("| --- | --- | --- |", flush=True)
        examples: list[str] = []
        for name in chosen:
            dice = random.Random(f"{arguments.seed} {name}")
            for row in CAMPAIGNS[name](ground, Path(temporary) / "place", dice, arguments.scale):
                print(f"| {row.kind} | {row.tries} | {row.bad} |", flush=True)
                examples += [f"{row.kind}: {one}" for one in row.examples]
                bad += row.bad
    print(f"\n{(time.monotonic() - began) / 60:.0f} minutes")
    for one in examples:
        print(f"- {one[:400]}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()

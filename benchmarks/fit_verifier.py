"""Fits the two parts of the face finder on labelled photos: `cascades/verifier.safetensors`.

    python -m benchmarks.fit_verifier PHOTOS cascades/verifier.safetensors
    python -m benchmarks.fit_verifier PHOTOS --cross-validate

PHOTOS is a folder as `benchmarks/labels.py` describes it; the photos that are for measuring only
are left alone. The same photos and seed give the same file, on the same machine. It takes a quarter
of an hour on one free core and 6 GB of memory; with `--cache FOLDER` the next fit takes half as
long. Beside photos without a cat, what is to be kept out is made of those with one (see
`benchmarks/mined.py`). Both parts are fitted twice, the second time also on what the first ones
take for faces where there are none. With `--cross-validate` parts are fitted four times, each time
without some of the photos and without what is made of them, which are then searched, so that every
figure is of photos not fitted on: three times a third of those whose faces are boxed and of those
without a cat, and once all that are labelled by eye, which are of other owners. `--decisions
curated/` adds the photos whose faces a person kept or drew in `catgan review`.

Heads have a label for place and size, none for the turn. The turn is learnt from photos turned by
known angles: a face keeps an unknown turn of its own (one free number for each, pulled towards 0),
and all of its views must agree on it.
"""

import argparse
import dataclasses
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.heads import ProposalHead, VerifierHead, load_heads, save_heads
from benchmarks.labels import is_right
from benchmarks.shown import (
    DEPTHS,
    FOLDS,
    NO_FACE,
    PLACES,
    WITH_FACES,
    Arrays,
    Boxes,
    Example,
    Seen,
    examples,
    see,
    views_of,
)
from catgan.core.photos import Photo
from catgan.core.version import __version__
from catgan.curate.heads import REFERENCE, ROLL_UNIT
from catgan.curate.maps import STRIDE, Maps, NetMaps
from catgan.curate.recipe import load_recipe
from catgan.curate.square import Square
from catgan.curate.verified import LEAST_LOGIT, VerifiedDetector, level_crop, refine

MOST_MISTAKEN = 2  # places of a view without a face that the verifier is fitted on
LEAST_FACE = 16.0  # pixels of a place that it is asked about


# Fitting the proposals.

_row, _column = np.mgrid[:PLACES, :PLACES]
AT_X, AT_Y = _column * STRIDE + STRIDE / 2, _row * STRIDE + STRIDE / 2


def marked(faces: Boxes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each place: 1 in a face's middle, 0 elsewhere, -1 between the two; and the face's index."""
    label = np.zeros((PLACES, PLACES), dtype=np.int64)
    which = np.full((PLACES, PLACES), -1, dtype=np.int64)
    for index in np.argsort(-faces[:, 2]):
        x, y, side = faces[index, :3]
        apart = np.maximum(abs(AT_X - x), abs(AT_Y - y)) / side
        middle = apart < max(0.22, 8.5 / side)
        label[apart < 0.45] = -1
        label[middle] = 1
        which[middle] = index
    return label, which


def places_of(seen: Seen, view: int) -> Tensor:
    """What is known of each place of a view, (24, 24, 432) float32."""
    fine, coarse = (
        values[view : view + 1].astype(np.float32) for values in (seen.fine, seen.coarse)
    )
    nothing = fine[:0]
    return torch.from_numpy(Maps(fine, coarse, nothing, nothing).places()[0])


def gather(
    seen: Seen,
    whole: NDArray[np.bool_],
    chosen: NDArray[np.int64],
    head: ProposalHead | None,
    seed: int,
) -> tuple[Tensor, ...]:
    """Places to fit on: faces' middles, and more others, the hardest for `head` among them.

    Args:
        seen: All views.
        whole: Example -> whether all its faces are labelled.
        chosen: Views to take them from.
        head: One that was fitted before; None for any places.
        seed: Chooses among them.
    """
    rng = np.random.default_rng(seed)
    xs, ys, answers, numbers, mirrors = [], [], [], [], []
    for index in chosen:
        places = places_of(seen, index)
        faces = seen.shown[index]
        label, which = marked(faces)
        positive, negative = np.argwhere(label == 1), np.argwhere(label == 0)
        positive = positive[rng.permutation(len(positive))[:10]]
        if not whole[seen.view_of[index]] and len(positive):
            # another face may be on it: no hardest places, and few
            negative = negative[rng.permutation(len(negative))[:20]]
        elif head is None:
            negative = negative[rng.permutation(len(negative))[:30]]
        else:
            with torch.no_grad():
                logits = head(places)[..., 0].numpy()
            hardest = np.argsort(-logits[label == 0], kind="stable")[:16]
            negative = negative[np.concatenate([hardest, rng.permutation(len(negative))[:10]])]
        both = np.concatenate([positive, negative])
        xs.append(places[both[:, 0], both[:, 1]].half())
        ys.append(np.arange(len(both)) < len(positive))
        answer = np.zeros((len(both), 4))
        number, mirror = np.zeros(len(both), dtype=np.int64), np.ones(len(both))
        for row, (i, j) in enumerate(positive):
            x, y, side, turn, mirrored = faces[which[i, j]]
            answer[row] = (
                (x - AT_X[i, j]) / REFERENCE,
                (y - AT_Y[i, j]) / REFERENCE,
                math.log(side / REFERENCE),
                turn / ROLL_UNIT,
            )
            number[row] = seen.view_of[index] * 16 + which[i, j]
            mirror[row] = mirrored
        answers.append(answer)
        numbers.append(number)
        mirrors.append(mirror)
    return (
        torch.cat(xs),
        torch.from_numpy(np.concatenate(ys)).float(),
        torch.from_numpy(np.concatenate(answers)).float(),
        torch.from_numpy(np.concatenate(numbers)),
        torch.from_numpy(np.concatenate(mirrors)).float(),
    )


def around(turn: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Two turns, the first brought to within half a turn of the second."""
    whole = 360 / ROLL_UNIT
    return turn - whole * ((turn - right) / whole).detach().round(), right


def fit_proposal(data: tuple[Tensor, ...], epochs: int, seed: int) -> ProposalHead:
    """A proposal head, fitted from the start."""
    x, y, answer, number, mirror = data
    torch.manual_seed(seed)
    head = ProposalHead()
    some = x[::7].float()
    head.mean.data, head.std.data = some.mean(dim=0), some.std(dim=0) + 0.05
    own_turn = nn.Parameter(torch.zeros(int(number.max()) + 1))
    step = _steps(head.layers.parameters(), own_turn, 1e-3, epochs * -(-len(x) // 2048))
    for _ in range(epochs):
        for chosen in torch.split(torch.randperm(len(x)), 2048):
            out = head(F.dropout(x[chosen].float(), 0.1))
            loss = F.binary_cross_entropy_with_logits(out[:, 0], y[chosen])
            face = y[chosen] > 0
            if face.any():
                right, got = answer[chosen][face], out[face]
                weight = torch.exp(-right[:, 2]).clamp(0.3, 3)  # offsets count in sides of the face
                place = F.smooth_l1_loss(got[:, 1:3], right[:, :2], beta=0.1, reduction="none")
                turn = own_turn[number[chosen][face]]
                tilt = got[:, 4] - mirror[chosen][face] * turn
                loss = (
                    loss
                    + 0.5 * (place.mean(dim=1) * weight).mean()
                    + 0.5 * F.smooth_l1_loss(got[:, 3], right[:, 2], beta=0.1)
                    + 0.2 * F.smooth_l1_loss(*around(tilt, right[:, 3]), beta=0.3)
                    + 0.02 * (turn**2).mean()
                )
            step(loss)
    return head.eval()


def fit_verifier(
    crops: Arrays, all_rows: NDArray[np.float64], seed: int, epochs: int = 18
) -> VerifierHead:
    """A verifier head, fitted from the start on crops and their rows, as `Seen` has them."""
    torch.manual_seed(seed)
    head = VerifierHead()
    crop = {name: torch.from_numpy(values) for name, values in crops.items()}
    for name, values in crop.items():
        some = values[::5].float().flatten(0, -2)
        scale = getattr(head, f"{name}_scale")
        scale.data = torch.stack([some.mean(dim=0), some.std(dim=0) + 0.05])
    rows = torch.from_numpy(all_rows)
    y, answer, mirror = rows[:, 1].float(), rows[:, 2:6].float(), rows[:, 6].float()
    number = rows[:, 7].long()
    own_turn = nn.Parameter(torch.zeros(int(number.max()) + 2))  # the last is nobody's
    weights = [parameter for parameter in head.parameters() if parameter.requires_grad]
    step = _steps(weights, own_turn, 0.02, epochs * -(-len(rows) // 256))
    head.train()
    for _ in range(epochs):
        for batch in torch.split(torch.randperm(len(rows)), 256):
            out = head(*(crop[name][batch].float() for name in DEPTHS))
            loss = F.binary_cross_entropy_with_logits(out[:, 0], y[batch])
            face = y[batch] > 0
            right, got = answer[batch][face], out[face]
            turn = own_turn[number[batch][face]]
            tilt = got[:, 4] - mirror[batch][face] * turn
            loss = (
                loss
                + 2 * F.smooth_l1_loss(got[:, 1:4], right[:, :3], beta=0.05)
                + 0.3 * F.smooth_l1_loss(tilt, right[:, 3], beta=0.2)
                + 0.02 * (turn**2).mean()
            )
            step(loss)
    return head.eval()


def mistaken(
    maps: NetMaps,
    photos: Sequence[Example],
    seen: Seen,
    chosen: NDArray[np.bool_],
    heads: tuple[ProposalHead, VerifierHead],
) -> tuple[Arrays, NDArray[np.float64]]:
    """What heads take for faces on views without one: crops as `Seen` has them, and their rows."""
    crops = {name: [seen.crop[name][:0]] for name in DEPTHS}
    rows = [np.empty((0, 8))]
    verifier = heads[1].running()
    for index in map(int, np.flatnonzero(chosen)):
        example = photos[index]
        if example.has_faces:
            continue
        views = np.flatnonzero(seen.view_of == index)
        found = [likeliest(heads[0], places_of(seen, int(view))) for view in views]
        if not any(found) or (opened := example.open()) is None:
            continue
        rng = example.random("mistaken")
        pictures = []
        canvases = [canvas for canvas, _ in views_of(example, opened[0], opened[1])]
        for canvas, places in zip(canvases, found, strict=True):
            once = refine(maps, verifier, canvas, places) if places else []
            pictures += [
                level_crop(canvas, head, mirrored=bool(rng.random() < 0.5))
                for head in once + places
            ]
        looked = maps.look(np.stack(pictures))
        for name in DEPTHS:
            crops[name].append(getattr(looked, name).astype(np.float16))
        rows.append(np.tile([index, *NO_FACE], (len(pictures), 1)))
    return {name: np.concatenate(values) for name, values in crops.items()}, np.concatenate(rows)


@torch.no_grad()
def likeliest(head: ProposalHead, places: Tensor) -> list[Square]:
    """The two likeliest places of a view that are apart, of those that are likely at all."""
    found = head(places).numpy().astype(np.float64)
    boxes: list[Square] = []
    for flat in np.argsort(-found[..., 0], axis=None, kind="stable"):
        row, column = divmod(int(flat), PLACES)
        logit, across, down, log_side, roll = found[row, column]
        if logit < LEAST_LOGIT or len(boxes) == MOST_MISTAKEN:
            break
        square = Square(
            cx=AT_X[row, column] + across * REFERENCE,
            cy=AT_Y[row, column] + down * REFERENCE,
            side=REFERENCE * math.exp(float(np.clip(log_side, -2.5, 2.5))),
            roll=roll * ROLL_UNIT,
            score=logit,
        )
        apart = [max(abs(square.cx - one.cx), abs(square.cy - one.cy)) for one in boxes]
        if square.side >= LEAST_FACE and all(way > 0.45 * square.side for way in apart):
            boxes.append(square)
    return boxes


class _steps:  # noqa: N801  # a function with a memory
    """AdamW with one rise and fall of its rate."""

    def __init__(self, weights: object, own_turn: nn.Parameter, decay: float, total: int) -> None:
        groups = [
            {"params": list(weights), "weight_decay": decay},  # type: ignore[call-overload]
            {"params": [own_turn], "weight_decay": 0.0},
        ]
        self._optimizer = torch.optim.AdamW(groups, lr=2e-3)
        self._rate = torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer, [2e-3, 2e-2], total_steps=total
        )

    def __call__(self, loss: Tensor) -> None:
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._rate.step()


def fit(
    maps: NetMaps,
    photos: Sequence[Example],
    seen: Seen,
    chosen: NDArray[np.bool_],
    seed: int,
) -> tuple[ProposalHead, VerifierHead]:
    """Both heads on the chosen examples, each twice: the second time on their mistakes, too."""
    mine = chosen[seen.rows[:, 0].astype(int)]
    crops, rows = {name: values[mine] for name, values in seen.crop.items()}, seen.rows[mine]
    proposal = fit_proposals(seen, photos, chosen, seed)
    first = fit_verifier(crops, rows, seed, epochs=4)
    more, more_rows = mistaken(maps, photos, seen, chosen, (proposal, first))
    print(f"{len(more_rows)} crops are taken for faces", flush=True)
    crops = {name: np.concatenate([values, more[name]]) for name, values in crops.items()}
    return proposal, fit_verifier(crops, np.concatenate([rows, more_rows]), seed)


def fit_proposals(
    seen: Seen, photos: Sequence[Example], chosen: NDArray[np.bool_], seed: int
) -> ProposalHead:
    """The proposals on the chosen examples, the second time on their mistakes, too."""
    views = np.flatnonzero(chosen[seen.view_of])
    whole = np.array([not example.labelled.by_eye for example in photos])
    easy = gather(seen, whole, views, None, 2 * seed)
    first = fit_proposal(easy, 4, seed)
    hard = gather(seen, whole, views, first, 2 * seed + 1)
    both = tuple(torch.cat([one, other]) for one, other in zip(easy, hard, strict=True))
    return fit_proposal(both, 14, seed)


def cross_validate(
    maps: NetMaps, seen: Seen, photos: Sequence[Example], scratch: Path, seed: int
) -> None:
    """Print what parts fitted on some of the photos find in the others."""
    answers: list[tuple[str, float, bool]] = []
    for fold in range(FOLDS):
        left_out = np.array([example.fold == fold for example in photos])
        save_heads(scratch, *fit(maps, photos, seen, ~left_out, seed), {"fold": str(fold)})
        recipe = dataclasses.replace(load_recipe("map"), verifier=scratch, min_score=0.0)
        detector = VerifiedDetector(recipe)
        for index in map(int, np.flatnonzero(left_out)):
            example = photos[index]
            if (opened := example.open()) is None:
                continue
            height, width = opened[0].shape[:2]
            photo = Photo(pixels=opened[0], width=width, height=height, profile=None)
            found = detector.find(photo)
            right = bool(found) and is_right(found[0], example.labelled.boxes(photo))
            answers.append((example.kind, found[0].score if found else -math.inf, right))
        print(f"fold {fold} of {FOLDS} done", flush=True)
    kinds = list(dict.fromkeys(kind for kind, _, _ in answers))
    print("| score from | " + " | ".join(kinds) + " | boxes right |")
    for limit in range(0, 21, 2):
        cells = []
        for kind in kinds:
            own = [(score, right) for other, score, right in answers if other == kind]
            counts = [right or kind not in WITH_FACES for score, right in own if score >= limit]
            cells.append(f"{sum(counts)} of {len(own)}")
        kept = [right for kind, score, right in answers if kind in WITH_FACES and score >= limit]
        print(f"| {limit} | " + " | ".join(cells) + f" | {sum(kept)} of {len(kept)} |")


def main() -> None:
    """Fit, and write or cross-validate."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("photos", type=Path, help="folder of labelled photos")
    parser.add_argument("out", type=Path, nargs="?", help="the file to write")
    parser.add_argument("--cross-validate", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--cache",
        type=Path,
        help="a folder that keeps what the net sees of the photos (3 GB), for the next fit",
    )
    parser.add_argument(
        "--decisions",
        type=Path,
        action="append",
        default=[],
        metavar="CURATED",
        help="a curated folder whose decisions (catgan review) are labels, too; may be repeated",
    )
    parser.add_argument(
        "--rejected", action="store_true", help="what was rejected there is no cat's face"
    )
    options = parser.parse_args()
    if options.out is None and not options.cross_validate:
        parser.error("name a file to write, or --cross-validate")
    torch.set_num_threads(1)  # sums in a fixed order
    cv2.setNumThreads(1)
    photos = examples(options.photos, options.decisions, rejected=options.rejected)
    maps = NetMaps()
    seen = see(maps, photos, options.cache)
    if options.out is not None:
        everything = np.ones(len(photos), dtype=bool)
        heads = fit(maps, photos, seen, everything, options.seed)
        used = [photos[index] for index in np.unique(seen.view_of)]
        save_heads(options.out, *heads, provenance(used, options.seed))
        load_heads(options.out)
        print(f"wrote {options.out}", flush=True)
    if options.cross_validate:
        with tempfile.TemporaryDirectory() as scratch:
            cross_validate(maps, seen, photos, Path(scratch) / "fold.safetensors", options.seed)


def provenance(photos: Sequence[Example], seed: int) -> dict[str, str]:
    """Where fitted parts come from, in words."""
    faces = sum(example.has_faces for example in photos)
    made = sum(example.made for example in photos)
    return {
        "made by": f"benchmarks/fit_verifier.py, catgan {__version__}, seed {seed}",
        "photos": f"{faces} with labelled cat faces, {len(photos) - faces - made} without one; "
        f"{made} made of the former",
        "net": "EfficientNet-Lite0 with ImageNet weights, frozen",
    }


if __name__ == "__main__":
    main()

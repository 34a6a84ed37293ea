"""Fits the two parts of the face finder on labelled photos: `cascades/verifier.safetensors`.

    python -m benchmarks.fit_verifier PHOTOS cascades/verifier.safetensors
    python -m benchmarks.fit_verifier PHOTOS --cross-validate

PHOTOS is a folder as `benchmarks/labels.py` describes it; the photos that are for measuring only
are left alone. The same photos give the same file. It takes some ten minutes on one core and 5 GB
of memory. With `--cross-validate` the photos are split in four, and each quarter is searched with
parts fitted on the other three, so that every figure is of photos not fitted on. `--decisions
curated/` adds the faces that a person kept or drew in `catgan review`.

Heads have a label for place and size, none for the turn. The turn is learnt from photos turned by
known angles: a face keeps an unknown turn of its own (one free number for each, pulled towards 0),
and all of its views must agree on it.
"""

import argparse
import dataclasses
import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.decided import decided_photos
from benchmarks.labels import Fractions, boxes_on, is_right, labelled_photos, photos_without
from catgan.core.photos import Photo, read_photo
from catgan.core.pictures import Picture
from catgan.core.version import __version__
from catgan.curate.heads import (
    REFERENCE,
    ROLL_UNIT,
    ProposalHead,
    VerifierHead,
    load_heads,
    save_heads,
)
from catgan.curate.maps import GROUND, STRIDE, NetMaps
from catgan.curate.recipe import Recipe
from catgan.curate.square import Square
from catgan.curate.verified import VerifiedDetector, level_crop

SIDE = 384  # canvas of a view, pixels
PLACES = SIDE // STRIDE
VIEWS = {True: 10, False: 4}  # of a photo with faces, of one without
FOLDS = 4

Boxes = NDArray[np.float64]
Arrays = dict[str, NDArray[np.float32]]


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """A photo to fit on."""

    name: str
    path: Path
    fractions: Fractions
    """Faces as fractions of the picture; none for a photo without a cat."""

    @property
    def fold(self) -> int:
        """Which quarter it belongs to, by a hash of its name."""
        return int(hashlib.sha256(f"fold{self.name}".encode()).hexdigest(), 16) % FOLDS

    def random(self, what: str) -> np.random.Generator:
        """Random numbers of its own, so that no photo depends on the others."""
        digest = hashlib.sha256(f"{what}{self.name}".encode()).digest()
        return np.random.default_rng(int.from_bytes(digest[:8], "big"))

    def faces(self, photo: Photo) -> Boxes:
        """(K, 3): centre and side of each face, in pixels of `photo.pixels`."""
        height, width = photo.pixels.shape[:2]
        boxes = [
            (x * width, y * height, math.sqrt(w * width * h * height))
            for x, y, w, h in self.fractions
        ]
        return np.array(boxes, dtype=np.float64).reshape(-1, 3)


def examples(
    folder: Path, decided: Sequence[Path] = (), *, rejected: bool = False
) -> list[Example]:
    """The photos to fit on: labelled ones that are not for measuring, and those without a cat.

    Args:
        folder: As `benchmarks/labels.py` describes it.
        decided: Curated folders whose decisions count as labels, too.
        rejected: Whether what was rejected there is no face.
    """
    with_faces = [
        Example(f"faces/{photo.path.name}", photo.path, photo.fractions)
        for photo in labelled_photos(folder)
        if not photo.measuring
    ]
    without = [
        Example(path.relative_to(folder).as_posix(), path, ()) for path in photos_without(folder)
    ]
    by_hand = [
        Example(*one) for curated in decided for one in decided_photos(curated, rejected=rejected)
    ]
    return with_faces + without + by_hand


# What is shown: photos turned, resized and moved on a canvas; levelled crops of them.


def photometric(picture: Picture, rng: np.random.Generator) -> Picture:
    """The same in another light."""
    values = picture.astype(np.float32)
    if rng.random() < 0.15:
        values[:] = values.mean(axis=2, keepdims=True)
    values = (values - 128) * rng.uniform(0.7, 1.25) + 128 + rng.uniform(-30, 30)
    values *= rng.uniform(0.88, 1.12, 3)
    return np.clip(values, 0, 255).astype(np.uint8)


def view(
    pixels: Picture, faces: Boxes, rng: np.random.Generator, *, plain: bool
) -> tuple[Picture, Boxes]:
    """A photo on a canvas of 384 x 384, and its faces there: centre, side, turn added, mirrored.

    Returns:
        (384, 384, 3) uint8, and (K, 5): the last is -1 where left and right were exchanged.
    """
    height, width = pixels.shape[:2]
    fit = SIDE / max(height, width)
    scale, turn, mirror = fit, 0.0, 1
    if not plain:
        scale = fit * math.exp(rng.uniform(-0.9, 0.4))
        turn = float(np.clip(rng.normal(0, 30), -95, 95)) if rng.random() < 0.75 else 0.0
        mirror = 1 if rng.random() < 0.5 else -1
    if mirror < 0:
        pixels = pixels[:, ::-1]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, scale)
    if plain:
        matrix = np.array([[scale, 0, 0], [0, scale, 0]], dtype=np.float64)
    else:
        room = SIDE - np.array([width, height]) * scale
        middle = np.array([SIDE / 2 - width / 2, SIDE / 2 - height / 2])
        matrix[:, 2] += middle + rng.uniform(-0.5, 0.5, 2) * np.maximum(abs(room), 30)
    source, to_canvas = np.ascontiguousarray(pixels), matrix
    if scale < 0.7:  # reduced by averaging first: warping alone would alias
        factor = max(scale * 1.2, 0.3)
        less = cv2.resize(source, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        source = np.asarray(less, dtype=np.uint8)
        to_canvas = matrix.copy()
        to_canvas[:, 0] *= width / source.shape[1]
        to_canvas[:, 1] *= height / source.shape[0]
    warped = cv2.warpAffine(
        source,
        to_canvas,
        (SIDE, SIDE),
        flags=cv2.INTER_LINEAR,
        borderValue=(GROUND, GROUND, GROUND),
    )
    canvas: Picture = np.asarray(warped, dtype=np.uint8)
    shown = np.zeros((len(faces), 5))
    for index, (x, y, side) in enumerate(faces):
        cx, cy = matrix @ (width - x if mirror < 0 else x, y, 1.0)
        shown[index] = cx, cy, side * scale, turn, mirror
    return (canvas if plain else photometric(canvas, rng)), shown


def jittered(
    faces: Boxes, rng: np.random.Generator, wide: float
) -> tuple[Square, NDArray[np.float64], bool]:
    """A box beside a face, and what the verifier is to answer: offset, log factor, turn."""
    x, y, side = faces
    turn = float(np.clip(rng.normal(0, 22 * wide), -70, 70))
    log_factor = rng.normal(0, 0.18 * wide)
    own = side * math.exp(log_factor)
    off = np.clip(rng.normal(0, 0.13 * wide, 2), -0.35, 0.35) * side
    mirrored = bool(rng.random() < 0.5)
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    across = (-off[0] * cos + off[1] * sin) / own
    down = (-off[0] * sin - off[1] * cos) / own
    answer = np.array(
        [
            -across if mirrored else across,
            down,
            -log_factor,
            (turn if mirrored else -turn) / ROLL_UNIT,
        ]
    )
    return Square(cx=x + off[0], cy=y + off[1], side=own, roll=turn), answer, mirrored


def elsewhere(
    faces: Boxes, shape: tuple[int, int], count: int, rng: np.random.Generator
) -> list[Square]:
    """Boxes that hold no face, or one far off the middle or of a wrong size."""
    height, width = shape
    found: list[Square] = []
    for _ in range(count * 8):
        if len(found) == count:
            break
        if len(faces) and rng.random() < 0.5:
            x, y, side = faces[rng.integers(len(faces))]
            own, way = side * math.exp(rng.uniform(-1.3, 0.9)), rng.uniform(0, 2 * math.pi)
            far = rng.uniform(0, 1.3) * side
            cx, cy = x + far * math.cos(way), y + far * math.sin(way)
        else:
            cx, cy = rng.uniform(0, width), rng.uniform(0, height)
            own = math.exp(rng.uniform(math.log(0.12), math.log(0.8))) * max(height, width)
        wrong = all(
            math.hypot(cx - x, cy - y) > 0.5 * side or not 0.42 < own / side < 2.1
            for x, y, side in faces
        )
        if wrong and 0 <= cx < width and 0 <= cy < height:
            roll = float(rng.normal(0, 20))
            found.append(Square(cx=float(cx), cy=float(cy), side=float(own), roll=roll))
    return found


# What the net sees of it, kept in memory.


@dataclasses.dataclass(slots=True)
class Seen:
    """Everything that the heads are fitted on."""

    fine: NDArray[np.float16]
    coarse: NDArray[np.float16]
    view_of: NDArray[np.int64]
    """View -> example."""
    shown: list[Boxes]
    """View -> faces."""
    crop: Arrays
    """Crop -> its maps: fine, coarse, pooled."""
    rows: NDArray[np.float64]
    """Crop -> example, is a face, offset (2), log factor, turn, mirrored (-1), face number."""


def look(maps: NetMaps, photos: Sequence[Example]) -> Seen:
    """Every view and crop of the photos through the net."""
    fine, coarse, view_of, shown = [], [], [], []
    crops: dict[str, list[NDArray[np.float16]]] = {"fine": [], "coarse": [], "pooled": []}
    rows: list[NDArray[np.float64]] = []
    for index, example in enumerate(photos):
        photo = read_photo(example.path.read_bytes(), side=512)
        faces = example.faces(photo)
        rng = example.random("view")
        views = [
            view(photo.pixels, faces, rng, plain=number == 0)
            for number in range(VIEWS[bool(len(faces))])
        ]
        for start in range(0, len(views), 5):
            seen = maps.look(np.stack([canvas for canvas, _ in views[start : start + 5]]))
            fine.append(seen.fine.half().numpy())
            coarse.append(seen.coarse.half().numpy())
        view_of += [index] * len(views)
        shown += [boxes for _, boxes in views]

        rng = example.random("crop")
        pictures = []
        for number, face in enumerate(faces):
            for turn in range(12 if len(faces) < 3 else 6):
                head, answer, mirrored = jittered(face, rng, 1.0 if turn % 2 else 0.5)
                picture = level_crop(photo.pixels, head, mirrored=mirrored)
                pictures.append(photometric(picture, rng) if turn % 3 else picture)
                rows.append(
                    np.array([index, 1, *answer, -1 if mirrored else 1, index * 16 + number])
                )
        shape = (photo.pixels.shape[0], photo.pixels.shape[1])
        for head in elsewhere(faces, shape, 6 if len(faces) else 8, rng):
            pictures.append(level_crop(photo.pixels, head, mirrored=bool(rng.random() < 0.5)))
            rows.append(np.array([index, 0, 0, 0, 0, 0, 1, -1.0]))
        seen = maps.look(np.stack(pictures))
        for name in crops:
            crops[name].append(getattr(seen, name).half().numpy())
        if index % 50 == 0:
            print(f"looked at {index} of {len(photos)} photos", flush=True)
    return Seen(
        np.concatenate(fine),
        np.concatenate(coarse),
        np.array(view_of),
        shown,
        {name: np.concatenate(values) for name, values in crops.items()},
        np.array(rows),
    )


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


def gather(
    seen: Seen, chosen: NDArray[np.int64], head: ProposalHead | None, seed: int
) -> tuple[Tensor, ...]:
    """Places to fit on: faces' middles, and as many others, the hardest for `head` among them."""
    rng = np.random.default_rng(seed)
    xs, ys, answers, numbers, mirrors = [], [], [], [], []
    for index in chosen:
        fine = torch.from_numpy(seen.fine[index : index + 1]).float()
        coarse = torch.from_numpy(seen.coarse[index : index + 1]).float().permute(0, 3, 1, 2)
        coarse = F.interpolate(coarse, size=(PLACES, PLACES), mode="bilinear", align_corners=False)
        places = torch.cat([fine, coarse.permute(0, 2, 3, 1)], dim=3)[0]
        faces = seen.shown[index]
        label, which = marked(faces)
        positive, negative = np.argwhere(label == 1), np.argwhere(label == 0)
        positive = positive[rng.permutation(len(positive))[:16]]
        if head is None:
            negative = negative[rng.permutation(len(negative))[:40]]
        else:
            with torch.no_grad():
                logits = head(places)[..., 0].numpy()
            hardest = np.argsort(-logits[label == 0], kind="stable")[:20]
            negative = negative[np.concatenate([hardest, rng.permutation(len(negative))[:20]])]
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


def fit_proposal(data: tuple[Tensor, ...], epochs: int) -> ProposalHead:
    """A proposal head, fitted from the start."""
    x, y, answer, number, mirror = data
    torch.manual_seed(0)
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
                    + 0.1 * F.smooth_l1_loss(tilt, right[:, 3], beta=0.3)
                    + 0.02 * (turn**2).mean()
                )
            step(loss)
    return head.eval()


def fit_verifier(seen: Seen, chosen: NDArray[np.bool_], epochs: int = 12) -> VerifierHead:
    """A verifier head, fitted from the start."""
    torch.manual_seed(0)
    head = VerifierHead()
    crop = {name: torch.from_numpy(values[chosen]) for name, values in seen.crop.items()}
    for name, values in crop.items():
        some = values[::5].float().flatten(0, -2)
        scale = getattr(head, f"{name}_scale")
        scale.data = torch.stack([some.mean(dim=0), some.std(dim=0) + 0.05])
    rows = torch.from_numpy(seen.rows[chosen])
    y, answer, mirror = rows[:, 1].float(), rows[:, 2:6].float(), rows[:, 6].float()
    number = rows[:, 7].long()
    own_turn = nn.Parameter(torch.zeros(int(number.max()) + 2))  # the last is nobody's
    weights = [parameter for parameter in head.parameters() if parameter.requires_grad]
    step = _steps(weights, own_turn, 0.02, epochs * -(-len(rows) // 256))
    head.train()
    for _ in range(epochs):
        for batch in torch.split(torch.randperm(len(rows)), 256):
            out = head(*(crop[name][batch].float() for name in ("fine", "coarse", "pooled")))
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


def fit(seen: Seen, chosen: NDArray[np.bool_]) -> tuple[ProposalHead, VerifierHead]:
    """Both heads on the chosen examples; the proposals twice, the second time on their mistakes."""
    views = np.flatnonzero(chosen[seen.view_of])
    easy = gather(seen, views, None, 0)
    first = fit_proposal(easy, 6)
    hard = gather(seen, views, first, 1)
    both = tuple(torch.cat([one, other]) for one, other in zip(easy, hard, strict=True))
    return fit_proposal(both, 8), fit_verifier(seen, chosen[seen.rows[:, 0].astype(int)])


def cross_validate(seen: Seen, photos: list[Example], scratch: Path) -> None:
    """Print what parts fitted on three quarters find in the fourth."""
    best: list[tuple[bool, float, bool]] = []
    for fold in range(FOLDS):
        chosen = np.array([example.fold != fold for example in photos])
        save_heads(scratch, *fit(seen, chosen), {"fold": str(fold)})
        recipe = Recipe(
            name="quarter", side=SIDE, turns=(0.0,), min_size=0.05, min_score=-1e9, cascades=(),
            verifier=scratch,
        )  # fmt: skip
        detector = VerifiedDetector(recipe)
        for example in photos:
            if example.fold != fold:
                continue
            photo = read_photo(example.path.read_bytes(), side=detector.side)
            faces = detector.find(photo)
            boxes = boxes_on(photo, example.fractions)
            score = faces[0].score if faces else -1e9
            best.append((bool(boxes), score, bool(faces) and is_right(faces[0], boxes)))
        print(f"quarter {fold} done", flush=True)
    scratch.unlink()
    cats = [(score, right) for cat, score, right in best if cat]
    others = [score for cat, score, _ in best if not cat]
    print("threshold  photos found  best box right  kept without a cat")
    for threshold in (-2, -1, 0, 1, 2, 3, 4, 5, 6):
        kept = [right for score, right in cats if score >= threshold]
        print(
            f"{threshold:9}  {sum(kept) / len(cats):12.1%}  {sum(kept) / max(1, len(kept)):14.2%}  "
            f"{sum(score >= threshold for score in others)} of {len(others)}"
        )


def main() -> None:
    """Fit, and write or cross-validate."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("photos", type=Path, help="folder of labelled photos")
    parser.add_argument("out", type=Path, nargs="?", help="the file to write")
    parser.add_argument("--cross-validate", action="store_true")
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
    seen = look(NetMaps(), photos)
    if options.out is not None:
        faces = sum(bool(example.fractions) for example in photos)
        provenance = {
            "made by": f"benchmarks/fit_verifier.py, catgan {__version__}",
            "photos": f"{faces} with labelled cat faces, {len(photos) - faces} without a cat",
            "net": "EfficientNet-Lite0 with ImageNet weights, frozen",
        }
        save_heads(options.out, *fit(seen, np.ones(len(photos), dtype=bool)), provenance)
        load_heads(options.out)
        print(f"wrote {options.out}", flush=True)
    if options.cross_validate:
        cross_validate(seen, photos, Path("verifier-quarter.safetensors"))


if __name__ == "__main__":
    main()

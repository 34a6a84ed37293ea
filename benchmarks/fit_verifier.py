"""Fits the two parts of the face finder on labelled photos: `cascades/verifier.safetensors`.

    python -m benchmarks.fit_verifier PHOTOS cascades/verifier.safetensors
    python -m benchmarks.fit_verifier PHOTOS --cross-validate

PHOTOS is a folder as `benchmarks/labels.py` describes it; the photos that are for measuring only
are left alone. The same photos and seed give the same file. It takes a quarter of an hour on one
core and 4 GB of memory. Beside photos without a cat, what is to be kept out is made of those with
one (see `benchmarks/mined.py`), and the verifier is fitted twice, the second time also on what the
first and the proposals take for faces where there are none. With `--cross-validate` the photos are
split in four, and each quarter is searched with parts fitted on the other three, so that every
figure is of photos not fitted on. `--decisions curated/` adds the photos whose faces a person kept
or drew in `catgan review`.

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
from benchmarks.heads import ProposalHead, VerifierHead, load_heads, save_heads
from benchmarks.labels import (
    BY_EYE,
    Box,
    Labelled,
    is_right,
    labelled_photos,
    photos_by_eye,
    photos_without,
)
from benchmarks.mined import mine, painted_over
from catgan.core.photos import read_photo
from catgan.core.pictures import Picture
from catgan.core.version import __version__
from catgan.curate.heads import REFERENCE, ROLL_UNIT
from catgan.curate.maps import COARSE, FINE, GROUND, STRIDE, NetMaps, on_grid
from catgan.curate.recipe import Recipe
from catgan.curate.square import Square, head_of
from catgan.curate.verified import VerifiedDetector, level_crop, propose, refine

SIDE = 384  # canvas of a view, pixels
PLACES = SIDE // STRIDE
FOLDS = 4
# Views of a photo: the faces are what there is least of, apart from cats without one.
VIEWS = {"faces": 3, "by-eye": 3, "no-face": 6, "no-cat": 1, "back": 1, "hidden": 1, "body": 1}
PAINTED = 0.25  # share of views with a face that are painted over elsewhere: paint is no sign
MOST_CASCADED = 2  # boxes of a cascade that a photo without a face gives

NO_FACE = (0, 0, 0, 0, 0, 1, -1.0)  # the end of a row of `Seen`
Boxes = NDArray[np.float64]
Arrays = dict[str, NDArray[np.float16]]


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """A photo to fit on, or one made of it."""

    name: str
    labelled: Labelled
    kind: str
    """Of `VIEWS`."""

    @property
    def fold(self) -> int:
        """Which quarter it belongs to, by a hash of its photo's name."""
        name = f"{self.labelled.path.parent.name}/{self.labelled.path.name}"
        return int(hashlib.sha256(f"fold{name}".encode()).hexdigest(), 16) % FOLDS

    @property
    def has_faces(self) -> bool:
        """Whether faces are on it."""
        return self.kind in ("faces", "by-eye")

    @property
    def made(self) -> bool:
        """Whether it is made of a photo with faces."""
        return self.kind in ("back", "hidden", "body")

    def random(self, what: str) -> np.random.Generator:
        """Random numbers of its own, so that no photo depends on the others."""
        digest = hashlib.sha256(f"{what}{self.name}".encode()).digest()
        return np.random.default_rng(int.from_bytes(digest[:8], "big"))

    def open(self) -> tuple[Picture, Boxes, Boxes] | None:
        """The picture, its faces, and where faces were; None where it cannot be made.

        Returns:
            (H, W, 3) uint8, and twice (K, 3): centre and side, in pixels.
        """
        photo = read_photo(self.labelled.path.read_bytes(), side=512)
        factor = photo.pixels.shape[1] / photo.width
        heads = [
            dataclasses.replace(
                box, cx=box.cx * factor, cy=box.cy * factor, w=box.w * factor, h=box.h * factor
            )
            for box in self.labelled.boxes(photo)
        ]
        none = sides_of([])
        if self.has_faces:
            return photo.pixels, sides_of(heads), none
        if self.made:
            for made in mine(photo.pixels, heads, self.random("mine"), [self.kind]):
                return made.pixels, none, sides_of(made.boxes)
            return None
        return photo.pixels, none, none


def sides_of(boxes: Sequence[Box]) -> Boxes:
    """(K, 3): centre and side of each."""
    values = [(box.cx, box.cy, math.sqrt(box.w * box.h)) for box in boxes]
    return np.array(values, dtype=np.float64).reshape(-1, 3)


def examples(
    folder: Path, decided: Sequence[Path] = (), *, rejected: bool = False
) -> list[Example]:
    """The photos to fit on, none of which is for measuring, and what is made of them.

    Faces from the side or hardly to be seen, by eye, are neither faces nor none.

    Args:
        folder: As `benchmarks/labels.py` describes it.
        decided: Curated folders whose decisions count as labels, too.
        rejected: Whether what was rejected there is no face.
    """
    found = [(photo, "faces") for photo in labelled_photos(folder)]
    for name in BY_EYE:
        kinds = {"F": "by-eye", "N": "no-face"}
        found += [
            (photo, kinds[photo.label])
            for photo in photos_by_eye(folder, name)
            if photo.label in kinds
        ]
    found += [(photo, "no-cat") for photo in photos_without(folder)]
    for curated in decided:
        found += [
            (photo, "faces" if photo.fractions else "no-face")
            for photo in decided_photos(curated, rejected=rejected)
        ]
    found = [(photo, kind) for photo, kind in found if not photo.measuring]
    found += [
        (photo, made)
        for index, (photo, kind) in enumerate(found)
        if kind == "faces"
        for made in (("back", "body") if index % 2 else ("hidden", "back"))
    ]
    made = [
        Example(f"{kind}/{photo.path.parent.name}/{photo.path.name}", photo, kind)
        for photo, kind in found
    ]
    return sorted(made, key=lambda example: int(example.random("order").integers(1 << 62)))


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
    whole: NDArray[np.bool_]
    """Example -> whether all its faces are labelled."""


def look(maps: NetMaps, photos: Sequence[Example], *, views_too: bool = True) -> Seen:
    """Every crop of the photos, and every view where the proposals are fitted, through the net."""
    fine, coarse, view_of, shown = [], [], [], []
    crops: dict[str, list[NDArray[np.float16]]] = {"fine": [], "coarse": [], "pooled": []}
    rows: list[NDArray[np.float64]] = []
    cascade = cv2.CascadeClassifier(
        cv2.data.haarcascades + "haarcascade_frontalcatface_extended.xml"
    )
    for index, example in enumerate(photos):
        opened = example.open()
        if opened is None:
            continue
        pixels, faces, gone = opened
        rng = example.random("view")
        views = []
        for number in range(VIEWS[example.kind] if views_too else 0):
            source = pixels
            if len(faces) and number and rng.random() < PAINTED:
                source = painted_elsewhere(pixels, faces, rng)
            plain = number == 0 and not (example.made and rng.random() < 0.5)
            views.append(view(source, faces, rng, plain=plain))
        for start in range(0, len(views), 5):
            seen = maps.look(np.stack([canvas for canvas, _ in views[start : start + 5]]))
            fine.append(seen.fine.astype(np.float16))
            coarse.append(seen.coarse.astype(np.float16))
        view_of += [index] * len(views)
        shown += [boxes for _, boxes in views]

        rng = example.random("crop")
        pictures = []
        for number, face in enumerate(faces):
            for turn in range(6 if len(faces) < 3 else 3):
                head, answer, mirrored = jittered(face, rng, 1.0 if turn % 2 else 0.5)
                picture = level_crop(pixels, head, mirrored=mirrored)
                pictures.append(photometric(picture, rng) if turn % 3 else picture)
                rows.append(
                    np.array([index, 1, *answer, -1 if mirrored else 1, index * 16 + number])
                )
        shape = (pixels.shape[0], pixels.shape[1])
        others = elsewhere(faces, shape, 3 if len(faces) else 4, rng)
        for face in gone:
            others += [jittered(face, rng, 1.0 if turn % 2 else 0.5)[0] for turn in range(3)]
        if not len(faces):
            others += cascaded(cascade, pixels)
        for head in others:
            picture = level_crop(pixels, head, mirrored=bool(rng.random() < 0.5))
            pictures.append(photometric(picture, rng) if rng.random() < 0.5 else picture)
            rows.append(np.array([index, *NO_FACE]))
        seen = maps.look(np.stack(pictures))
        for name in crops:
            crops[name].append(getattr(seen, name).astype(np.float16))
        if index % 50 == 0:
            print(f"looked at {index} of {len(photos)} photos", flush=True)
    return Seen(
        np.concatenate(fine) if fine else np.empty((0, PLACES, PLACES, FINE), np.float16),
        np.concatenate(coarse) if coarse else np.empty((0, 12, 12, COARSE), np.float16),
        np.array(view_of, dtype=np.int64),
        shown,
        {name: np.concatenate(values) for name, values in crops.items()},
        np.array(rows),
        np.array([not example.labelled.by_eye for example in photos]),
    )


def painted_elsewhere(pixels: Picture, faces: Boxes, rng: np.random.Generator) -> Picture:
    """The photo with a place painted over that is no face, where there is room."""
    height, width = pixels.shape[:2]
    heads = [Box(cx=x, cy=y, w=side, h=side) for x, y, side in faces]
    side = faces[0, 2] * rng.uniform(0.5, 1.0)
    for _ in range(20):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        if all(max(abs(x - h.cx), abs(y - h.cy)) > (h.w + 1.3 * side) / 2 for h in heads):
            place = Box(cx=x, cy=y, w=side, h=side)
            painted = painted_over(pixels, place, heads, rng, ears=False)
            return pixels if painted is None else painted
    return pixels


def cascaded(cascade: "cv2.CascadeClassifier", pixels: Picture) -> list[Square]:
    """What a cascade takes for faces on a photo without one."""
    grey = cv2.equalizeHist(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
    least = max(24, round(0.12 * max(grey.shape)))
    found, _, weights = cascade.detectMultiScale3(
        grey, 1.2, 1, minSize=(least, least), outputRejectLevels=True
    )
    squares = [
        Square(cx=x + w / 2, cy=y + h / 2, side=float(w), score=float(weight))
        for (x, y, w, h), weight in zip(found, np.ravel(weights), strict=True)
    ]
    squares.sort(key=lambda square: -square.score)
    return [head_of(square) for square in squares[:MOST_CASCADED]]


def mistaken(
    maps: NetMaps,
    photos: Sequence[Example],
    chosen: NDArray[np.bool_],
    heads: tuple[ProposalHead, VerifierHead],
) -> tuple[Arrays, NDArray[np.float64]]:
    """What heads take for faces on photos without one: crops as `Seen` has them, and their rows."""
    crops: dict[str, list[NDArray[np.float16]]] = {"fine": [], "coarse": [], "pooled": []}
    rows = []
    proposal, verifier = heads[0].running(), heads[1].running()
    for index in map(int, np.flatnonzero(chosen)):
        example = photos[index]
        if example.has_faces or (opened := example.open()) is None:
            continue
        pixels = opened[0]
        canvas, factor = on_grid(pixels, SIDE)
        places = [head.scaled(1 / factor) for head in propose(maps, proposal, canvas)[:2]]
        if not places:
            continue
        once = refine(maps, verifier, pixels, places)
        rng = example.random("mistaken")
        found = [head for head in once + places if head.side >= 16]
        if not found:
            continue
        pictures = [
            level_crop(pixels, head, mirrored=mirrored)
            for head in found
            for mirrored in (False, True)
        ]
        pictures = [photometric(one, rng) if rng.random() < 0.3 else one for one in pictures]
        seen = maps.look(np.stack(pictures))
        for name in crops:
            crops[name].append(getattr(seen, name).astype(np.float16))
        rows += [np.array([index, *NO_FACE])] * len(pictures)
    return {name: np.concatenate(values) for name, values in crops.items()}, np.array(rows)


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
        if not seen.whole[seen.view_of[index]] and len(positive):
            # another face may be on it: no hardest places, and few
            negative = negative[rng.permutation(len(negative))[:20]]
        elif head is None:
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
                    + 0.1 * F.smooth_l1_loss(tilt, right[:, 3], beta=0.3)
                    + 0.02 * (turn**2).mean()
                )
            step(loss)
    return head.eval()


def fit_verifier(
    crops: Arrays, all_rows: NDArray[np.float64], seed: int, epochs: int = 12
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


def fit(
    maps: NetMaps,
    photos: Sequence[Example],
    seen: Seen,
    chosen: NDArray[np.bool_],
    seed: int,
    earlier: tuple[ProposalHead, VerifierHead] | None = None,
) -> tuple[ProposalHead, VerifierHead]:
    """Both heads on the chosen examples, each twice: the second time on their mistakes, too.

    With heads fitted earlier, the verifier alone, on the mistakes of those.
    """
    mine = chosen[seen.rows[:, 0].astype(int)]
    crops, rows = {name: values[mine] for name, values in seen.crop.items()}, seen.rows[mine]
    if earlier is None:
        proposal = fit_proposals(seen, chosen, seed)
        earlier = proposal, fit_verifier(crops, rows, seed, epochs=5)
    more, more_rows = mistaken(maps, photos, chosen, earlier)
    print(f"{len(more_rows)} crops are taken for faces", flush=True)
    crops = {name: np.concatenate([values, more[name]]) for name, values in crops.items()}
    return earlier[0], fit_verifier(crops, np.concatenate([rows, more_rows]), seed)


def fit_proposals(seen: Seen, chosen: NDArray[np.bool_], seed: int) -> ProposalHead:
    """The proposals on the chosen examples, the second time on their mistakes, too."""
    views = np.flatnonzero(chosen[seen.view_of])
    easy = gather(seen, views, None, 2 * seed)
    first = fit_proposal(easy, 6, seed)
    hard = gather(seen, views, first, 2 * seed + 1)
    both = tuple(torch.cat([one, other]) for one, other in zip(easy, hard, strict=True))
    return fit_proposal(both, 8, seed)


def cross_validate(
    maps: NetMaps, seen: Seen, photos: list[Example], scratch: Path, seed: int
) -> None:
    """Print what parts fitted on three quarters find in the fourth."""
    best: list[tuple[bool, float, bool]] = []
    for fold in range(FOLDS):
        chosen = np.array([example.fold != fold for example in photos])
        save_heads(scratch, *fit(maps, photos, seen, chosen, seed), {"fold": str(fold)})
        recipe = Recipe(
            name="quarter", side=SIDE, turns=(0.0,), min_size=0.05, min_score=0.0, cascades=(),
            verifier=scratch,
        )  # fmt: skip
        detector = VerifiedDetector(recipe)
        for example in photos:
            if example.fold != fold or example.made:
                continue
            photo = read_photo(example.labelled.path.read_bytes(), side=detector.side)
            faces = detector.find(photo)
            score = faces[0].score if faces else -1e9
            right = bool(faces) and is_right(faces[0], example.labelled.boxes(photo))
            best.append((example.has_faces, score, right))
        print(f"quarter {fold} done", flush=True)
    scratch.unlink()
    cats = [(score, right) for cat, score, right in best if cat]
    others = [score for cat, score, _ in best if not cat]
    print("threshold  photos found  best box right  kept without a face")
    for threshold in range(0, 25, 2):
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
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--proposals",
        type=Path,
        help="keep the proposals of an earlier file, and fit the verifier alone: a third of the "
        "time",
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
    earlier = None if options.proposals is None else load_heads(options.proposals)
    if earlier and options.cross_validate:
        parser.error("proposals that were fitted on all photos cannot be cross-validated")
    seen = look(maps, photos, views_too=earlier is None)
    if options.out is not None:
        everything = np.ones(len(photos), dtype=bool)
        heads = fit(maps, photos, seen, everything, options.seed, earlier)
        save_heads(options.out, *heads, provenance(photos, options.seed))
        load_heads(options.out)
        print(f"wrote {options.out}", flush=True)
    if options.cross_validate:
        cross_validate(maps, seen, photos, Path("verifier-quarter.safetensors"), options.seed)


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

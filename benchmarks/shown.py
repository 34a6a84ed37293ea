"""What the face finder is fitted on: photos, turned and cut in many ways, and what the net sees.

Views are whole photos on a canvas, for the map; crops are levelled squares, for the verifier. Both
follow from the photo's name and the labels alone, so a photo gives the same whatever others there
are, and what the net sees of it can be kept in a folder.
"""

import dataclasses
import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks import labels, mined
from benchmarks.decided import decided_photos
from benchmarks.labels import BY_EYE, Box, Labelled, labelled_photos, photos_by_eye, photos_without
from benchmarks.mined import mine, painted_over
from catgan.core.photos import read_photo
from catgan.core.pictures import Picture
from catgan.curate.heads import ROLL_UNIT
from catgan.curate.maps import GROUND, STRIDE, NetMaps
from catgan.curate.square import Square, head_of
from catgan.curate.verified import level_crop

SIDE = 384  # canvas of a view, pixels
PLACES = SIDE // STRIDE
FOLDS = 4
# Views of a photo: the faces are what there is least of, apart from cats without one.
VIEWS = {"faces": 4, "by-eye": 4, "no-face": 8, "no-cat": 2, "back": 1, "hidden": 1, "body": 1}
WITH_FACES = ("faces", "by-eye")
PAINTED = 0.25  # share of views with a face that are painted over elsewhere: paint is no sign
FAR_TURNED = 0.12  # share of boxes beside a face that are turned far: the map's turns are rough
MADE_TOO = {0: ("hidden",), 3: ("body",)}  # beside a back, of every sixth photo with a face
MOST_CASCADED = 2  # boxes of a cascade that a photo without a face gives

Boxes = NDArray[np.float64]
Arrays = dict[str, NDArray[np.float16]]
DEPTHS = ("fine", "coarse", "pooled")  # of the net's maps


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """A photo to fit on, or one made of it."""

    name: str
    labelled: Labelled
    kind: str
    """Of `VIEWS`."""

    @property
    def fold(self) -> int:
        """Which fold it belongs to: the last has the photos labelled by eye, of other owners."""
        if self.labelled.by_eye:
            return FOLDS - 1
        name = f"{self.labelled.path.parent.name}/{self.labelled.path.name}"
        return int(hashlib.sha256(f"fold{name}".encode()).hexdigest(), 16) % (FOLDS - 1)

    @property
    def has_faces(self) -> bool:
        """Whether faces are on it."""
        return self.kind in WITH_FACES

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
        for made in ("back", *MADE_TOO.get(index % 6, ()))
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


def turned(rng: np.random.Generator) -> float:
    """By how much a photo is turned, degrees: mostly little; cats lie on their sides, too."""
    way = rng.random()
    if way < 0.2:
        return 0.0
    return float(rng.normal(0, 30) if way < 0.85 else rng.uniform(-180, 180))


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
        turn = turned(rng)
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
    if rng.random() < FAR_TURNED:
        turn = float(rng.uniform(-110, 110))
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
            roll = turned(rng)
            found.append(Square(cx=float(cx), cy=float(cy), side=float(own), roll=roll))
    return found


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


# What the net sees of it.


@dataclasses.dataclass(slots=True)
class Seen:
    """What the heads are fitted on: of one photo, or of all."""

    fine: NDArray[np.float16]
    """(V, 24, 24, 112): of each view."""
    coarse: NDArray[np.float16]
    """(V, 12, 12, 320): likewise."""
    view_of: NDArray[np.int64]
    """View -> example."""
    shown: list[Boxes]
    """View -> faces."""
    crop: Arrays
    """Crop -> its maps, by `DEPTHS`."""
    rows: NDArray[np.float64]
    """Crop -> example, is a face, offset (2), log factor, turn, mirrored (-1), face number."""


NO_FACE = (0, 0, 0, 0, 0, 1, -1.0)  # the end of a row of a crop


def see(maps: NetMaps, photos: Sequence[Example], cache: Path | None) -> Seen:
    """Every view and every crop of the photos through the net.

    Args:
        maps: The net.
        photos: All of them.
        cache: A folder that keeps what the net sees, 3 GB; None for none. A change of the photos,
            their labels or of how they are shown is seen there.
    """
    cascade = cv2.CascadeClassifier(
        cv2.data.haarcascades + "haarcascade_frontalcatface_extended.xml"
    )
    found = []
    for index, example in enumerate(photos):
        file = None if cache is None else cache / f"{_digest(example)}.npz"
        if file is not None and file.is_file():
            one: Seen | None = _read(file)
        elif (one := _see(maps, example, cascade)) is not None and file is not None:
            _write(file, one)
        if one is not None:
            one.view_of += index
            one.rows[:, 0] = index
            one.rows[one.rows[:, 1] > 0, 7] += 16 * index
            found.append(one)
        if index % 50 == 0:
            print(f"looked at {index} of {len(photos)} photos", flush=True)
    return Seen(
        np.concatenate([one.fine for one in found]),
        np.concatenate([one.coarse for one in found]),
        np.concatenate([one.view_of for one in found]),
        [faces for one in found for faces in one.shown],
        {name: np.concatenate([one.crop[name] for one in found]) for name in DEPTHS},
        np.concatenate([one.rows for one in found]),
    )


def _see(maps: NetMaps, example: Example, cascade: "cv2.CascadeClassifier") -> Seen | None:
    """One photo as if it were the only one; None where it cannot be made."""
    if (opened := example.open()) is None:
        return None
    pixels, faces, gone = opened
    views = views_of(example, pixels, faces)
    fine, coarse = [], []
    for start in range(0, len(views), 5):
        seen = maps.look(np.stack([canvas for canvas, _ in views[start : start + 5]]))
        fine.append(seen.fine.astype(np.float16))
        coarse.append(seen.coarse.astype(np.float16))
    rows: list[tuple[float, ...]] = []
    pictures = []
    rng = example.random("crop")
    for number, face in enumerate(faces):
        for turn in range(6 if len(faces) < 3 else 3):
            head, answer, mirrored = jittered(face, rng, 1.0 if turn % 2 else 0.5)
            picture = level_crop(pixels, head, mirrored=mirrored)
            pictures.append(photometric(picture, rng) if turn % 3 else picture)
            rows.append((0, 1, *answer, -1 if mirrored else 1, number))
    shape = (pixels.shape[0], pixels.shape[1])
    others = elsewhere(faces, shape, 3 if len(faces) else 4, rng)
    for face in gone:
        others += [jittered(face, rng, 1.0 if turn % 2 else 0.5)[0] for turn in range(3)]
    if example.kind in ("no-cat", "no-face"):
        others += cascaded(cascade, pixels)
    for head in others:
        picture = level_crop(pixels, head, mirrored=bool(rng.random() < 0.5))
        pictures.append(photometric(picture, rng) if rng.random() < 0.5 else picture)
        rows.append((0, *NO_FACE))
    seen = maps.look(np.stack(pictures))
    return Seen(
        np.concatenate(fine),
        np.concatenate(coarse),
        np.zeros(len(views), dtype=np.int64),
        [boxes for _, boxes in views],
        {name: getattr(seen, name).astype(np.float16) for name in DEPTHS},
        np.array(rows, dtype=np.float64),
    )


def views_of(example: Example, pixels: Picture, faces: Boxes) -> list[tuple[Picture, Boxes]]:
    """The views of a photo, always the same ones: canvas and faces, as `view` gives them."""
    rng = example.random("view")
    views = []
    for number in range(VIEWS[example.kind]):
        source = pixels
        if len(faces) and number and rng.random() < PAINTED:
            source = painted_elsewhere(pixels, faces, rng)
        plain = number == 0 and (VIEWS[example.kind] > 1 or rng.random() < 0.5)
        views.append(view(source, faces, rng, plain=plain))
    return views


# What was seen, kept.


def _digest(example: Example) -> str:
    """Of all that decides what is seen of a photo: the photo, its labels, how it is shown."""
    digest = hashlib.sha256(f"{example.name} {example.labelled.fractions}".encode())
    digest.update(example.labelled.path.read_bytes())
    for source in (__file__, labels.__file__, mined.__file__):
        digest.update(Path(source).read_bytes())
    return digest.hexdigest()


def _write(file: Path, seen: Seen) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    with part.open("wb") as out:
        np.savez(
            out,
            allow_pickle=False,
            view_fine=seen.fine,
            view_coarse=seen.coarse,
            faces=np.concatenate(seen.shown),
            counts=np.array([len(faces) for faces in seen.shown]),
            rows=seen.rows,
            **seen.crop,
        )
    part.replace(file)


def _read(file: Path) -> Seen:
    with np.load(file) as kept:
        ends = np.cumsum(kept["counts"])
        return Seen(
            kept["view_fine"],
            kept["view_coarse"],
            np.zeros(len(ends), dtype=np.int64),
            np.split(kept["faces"], ends[:-1]),
            {name: kept[name] for name in DEPTHS},
            kept["rows"],
        )

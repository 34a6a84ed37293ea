"""What can be reviewed: the crops and the photos without one, each with what was decided about it.

Everything has a number, which is all that a page may ask by. Numbers are never given anew.
"""

import dataclasses
from collections.abc import Iterable, Sequence

from catgan.formats.decisions import Box, Choice, Decision
from catgan.formats.photos import FaceRecord, PhotoRecord, Verdict
from catgan.formats.standing import FaceStanding, PhotoStanding, by_place, stand

CROPS = "crops"
VIEWS = (
    CROPS,
    Verdict.NO_FACE,
    Verdict.FACE_TOO_SMALL,
    Verdict.BLURRY,
    Verdict.TOO_DARK,
    Verdict.DUPLICATE,
)
"""What the page can show: the crops, and the photos without one by their verdict."""

Place = tuple[str, float | None]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A crop, or a photo without one."""

    photo: int
    """Number of its photo."""
    view: int
    """Place in `VIEWS`."""
    face: FaceStanding | None
    """The face and what was decided about it; None for a photo as a whole."""
    record: FaceRecord | None
    """What is on record of the face; None where it was drawn since, or is none."""
    choice: Choice | None
    """What was decided."""
    changed: int = 0
    """Since which version of the album it has been as it is."""

    @property
    def score(self) -> float:
        """How sure the finder is; what a person drew comes last."""
        if self.record is None or self.record.by_hand:
            return 1e6 if self.face is not None else 0.0
        return self.record.score


class Album:
    """The photos of a curated folder, and what was decided about them so far."""

    def __init__(self, photos: Sequence[PhotoRecord], decisions: Iterable[Decision]) -> None:
        """Number everything.

        Args:
            photos: By path; of copies of one file the first counts.
            decisions: In their order.
        """
        self.version = 0
        self.photos: list[PhotoRecord] = []
        self.standing: list[PhotoStanding] = []
        self.items: list[Item] = []
        self._decisions: dict[Place, list[Decision]] = {
            place: list(made) for place, made in by_place(decisions).items()
        }
        self._photos: dict[Place, int] = {}
        self._own: list[list[int]] = []
        for record in photos:
            place = place_of(record)
            if not record.width or place in self._photos:
                continue
            number = len(self.photos)
            self._photos[place] = number
            self.photos.append(record)
            self._own.append([])
            self.standing.append(_stand(record, self._decisions.get(place, ())))
            for item in _items(number, record, self.standing[number]):
                self._add(item)

    def _add(self, item: Item) -> None:
        self._own[item.photo].append(len(self.items))
        self.items.append(item)

    @property
    def rejections(self) -> int:
        """How many crops are rejected."""
        return sum(item.choice is Choice.REJECTED and item.face is not None for item in self.items)

    def place(self, photo: int) -> Place:
        """What decisions know a photo by."""
        return place_of(self.photos[photo])

    def items_of(self, photo: int) -> dict[Box | None, int]:
        """The numbers of a photo's items, by what decisions know their faces by."""
        faces = ((self.items[index].face, index) for index in self._own[photo])
        return {None if face is None else face.box: index for face, index in faces}

    def decide(self, decisions: Sequence[Decision]) -> None:
        """Take in decisions that are on the disk; those about other photos change nothing."""
        places = {one.place for one in decisions} & self._photos.keys()
        for one in decisions:
            self._decisions.setdefault(one.place, []).append(one)
        if not places:
            return
        self.version += 1
        for place in places:
            self._update(self._photos[place])

    def _update(self, number: int) -> None:
        record = self.photos[number]
        standing = _stand(record, self._decisions[place_of(record)])
        self.standing[number] = standing
        faces = {face.box: face for face in standing.faces}
        for box, index in self.items_of(number).items():
            old = self.items[index]
            face = None if box is None else faces.pop(box, None)
            if old.face is not None and face is None:  # drawn by hand, and undone
                face = dataclasses.replace(old.face, choice=Choice.CLEARED)
            choice = standing.choice if face is None else face.choice
            new = dataclasses.replace(old, face=face, choice=choice)
            if new != old:
                self.items[index] = dataclasses.replace(new, changed=self.version)
        for face in faces.values():
            if face.choice is not None:
                self._add(dataclasses.replace(_item(number, record, face), changed=self.version))


def place_of(record: PhotoRecord) -> Place:
    """What decisions know a photo, or a frame of a video, by."""
    if not record.clip:
        return record.sha256, None
    moment = record.path.removeprefix(record.clip).removeprefix("@").removesuffix("s")
    try:
        return record.sha256, float(moment)
    except ValueError:
        return record.sha256, None


def _stand(record: PhotoRecord, decisions: Iterable[Decision]) -> PhotoStanding:
    own = [face for face in record.faces if not face.by_hand]
    return stand([(face.box, face.roll) for face in own], decisions)


def _items(number: int, record: PhotoRecord, standing: PhotoStanding) -> list[Item]:
    """The crops of a photo, those decided about among them; without one the photo itself."""
    items = [_item(number, record, face) for face in standing.faces]
    shown = [
        item
        for item in items
        if item.choice is not None
        or (item.record is not None and (item.record.file or item.record.left_out))
    ]
    if shown:
        return shown
    if record.verdict == Verdict.REJECTED or record.verdict not in VIEWS:
        return []
    view = VIEWS.index(Verdict(record.verdict))
    whole = Item(photo=number, view=view, face=None, record=None, choice=standing.choice)
    return [whole]


def _item(number: int, record: PhotoRecord, face: FaceStanding) -> Item:
    found = _record_of(record, face)
    left_out = found is not None and found.file is None and record.verdict in VIEWS[1:]
    view = VIEWS.index(Verdict(record.verdict)) if left_out else 0
    return Item(photo=number, view=view, face=face, record=found, choice=face.choice)


def _record_of(record: PhotoRecord, face: FaceStanding) -> FaceRecord | None:
    """What is on record of a face: of the square that is cropped, if it is."""
    box, roll = face.shown
    exact = [one for one in record.faces if (one.box, one.roll) == (box, roll)]
    # one that was kept by hand has two lines: the one found, and the one cropped
    exact.sort(key=lambda one: not (one.file or one.left_out))
    if exact:
        return exact[0]
    own = [one for one in record.faces if not one.by_hand]
    return own[face.found] if face.found is not None else None

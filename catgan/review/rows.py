"""What the page is told, as JSON has it."""

from typing import Any

from catgan.formats.decisions import Choice
from catgan.review.album import Album, Item
from catgan.review.scissors import Scissors

CHOICES = {None: 0, Choice.CLEARED: 0, Choice.KEPT: 1, Choice.REJECTED: 2}


def row(index: int, item: Item) -> list[Any]:
    """An item as the page has it: number, photo, view, score, choice, picture, face."""
    face = item.face
    box = None if face is None else [*face.box, face.roll]
    picture = 0 if face is None or face.square is None else hash(face.square) & 0xFFFFFF
    return [
        index,
        item.photo,
        item.view,
        round(item.score, 3),
        CHOICES[item.choice],
        picture,
        box,
    ]


def about_photo(album: Album, photo: int, scissors: Scissors) -> dict[str, Any]:
    """A photo and its faces as the page has them."""
    record, standing = album.photos[photo], album.standing[photo]
    width, height = record.width, record.height
    items = album.items_of(photo)
    faces = []
    for face in standing.faces:
        box, roll = face.shown
        faces.append(
            {
                "box": face.box,
                "roll": face.roll,
                "choice": CHOICES[face.choice],
                "item": items.get(face.box),
                "drawn": face.square is not None,
                "crop": scissors.crop_of(box, roll, width=width, height=height),
                "found": None
                if face.found is None
                else scissors.crop_of(face.box, face.roll, width=width, height=height),
            }
        )
    return {
        "path": record.path,
        "width": width,
        "height": height,
        "verdict": record.verdict,
        "reason": record.reason,
        "choice": CHOICES[standing.choice],
        "faces": faces,
        "size": scissors.size,
    }

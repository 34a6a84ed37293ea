"""The card of a data set: what is in it, how it was made, and how it is loaded elsewhere."""

from collections.abc import Iterable, Iterator, Mapping

from catgan.core.files import Json
from catgan.core.settings import flag_of
from catgan.core.version import program
from catgan.core.words import count, setting
from catgan.formats.cards import Card, head_of
from catgan.formats.datasets import FACE_CROP, FULL_BODY, FULL_BODY_KEPT, METADATA, PictureRecord

WHAT = {
    FULL_BODY: "Every readable photo, whole: the shorter side resized, and the centre square.",
    FULL_BODY_KEPT: f"The photos of `{FACE_CROP}`, whole, as they are in `{FULL_BODY}`.",
    FACE_CROP: "Faces of cats, rotated upright and cropped.",
}

COLUMNS = {
    "file_name": "the image",
    "photo": "the photo it comes from, by its name in the folder of photos",
    "sha256": "SHA-256 of the photo's file",
    "photo_width": "width of the upright photo, in pixels",
    "photo_height": "height of the upright photo, in pixels",
    "group": "images of one video, or of one burst of photos, have the same; "
    "keep them on one side of a split",
    "box": "x, y, width and height of the face from ear base to ear base, in pixels of the photo",
    "roll": "rotation of the head, in degrees, anticlockwise",
    "score": "confidence of the face detector, on a scale of its own",
    "proposer": "what proposed the face: map (a network's map) or cascade (OpenCV's cascades)",
    "sharpness": "of the crop, 0 to 1",
    "brightness": "of the crop, 0 to 255",
}
"""Every field of `metadata.jsonl`, in words."""


class Contents:
    """What is in a data set: counted while its records pass by."""

    def __init__(self) -> None:
        """Nothing has passed by."""
        self.images = 0
        self.columns: set[str] = set()
        self._photos: set[str | None] = set()

    @property
    def photos(self) -> int:
        """How many photos the images are of."""
        return len(self._photos)

    def noted(self, records: Iterable[PictureRecord]) -> Iterator[PictureRecord]:
        """The same records, each of them counted."""
        for record in records:
            self.images += 1
            self._photos.add(record.photo)
            self.columns.update(key for key in COLUMNS if getattr(record, key) is not None)
            yield record


def data_set_card(
    name: str, contents: Contents, settings: Json, verdicts: Mapping[str, int]
) -> Card:
    """The card of a data set.

    Args:
        name: Of the data set.
        contents: What is in it, one image at least.
        settings: Those of the curation, as `catgan.json` has them.
        verdicts: Verdict -> photos, of all photos that were looked at.
    """
    return Card(head=card_head(name), made=_made(name, contents, settings, verdicts))


def card_head(name: str) -> str:
    """How the card of a data set begins, until its owner changes that."""
    facts = f"pretty_name: {name}\ntask_categories:\n- unconditional-image-generation\n"
    return head_of(name, WHAT[name], facts + "tags:\n- cats\n- catgan")


def _made(name: str, contents: Contents, settings: Json, verdicts: Mapping[str, int]) -> str:
    side = settings["size"]
    images, photos = count(contents.images, "image"), count(contents.photos, "photo")
    columns = "\n".join(
        f"| `{key}` | {words} |" for key, words in COLUMNS.items() if key in contents.columns
    )
    judged = ", ".join(f"{number:,} {verdict}" for verdict, number in verdicts.items() if number)
    options = "\n".join(
        f"| `{flag_of(key)}` | {setting(value)} |"
        for key, value in settings.items()
        if key != "ablation" and not key.endswith("_digest")  # which says nothing of this one
    )
    return f"""## Contents

{images} of {side} x {side} pixels (PNG, RGB), from {photos}.
The images hold no metadata: no place, no date, no camera. The columns of `train/{METADATA}`:

| column | meaning |
| --- | --- |
{columns}

The names of the photos are those of their files. If they say more than you want to share, remove
the column `photo` before you pass the folder on.

## Loading

From the folder that `{name}` lies in, with Hugging Face `datasets`:

```python
from datasets import load_dataset

images = load_dataset("imagefolder", data_dir="{name}", split="train")
```

With torchvision, as one class:

```python
from torchvision.datasets import ImageFolder

images = ImageFolder("{name}")
```

## How it was made

By {program()}, `catgan curate`, from {count(sum(verdicts.values()), "photo")}: {judged}.

| setting | value |
| --- | --- |
{options}
"""

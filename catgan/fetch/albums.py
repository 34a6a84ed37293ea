"""Public albums that can be fetched by name."""

import dataclasses
from collections.abc import Callable

from catgan.core.errors import FetchRefused


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """One archive of an album."""

    url: str
    """Where it is."""
    md5: str
    """Hexadecimal, as its publisher states it; for finding damage."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Album:
    """A public album."""

    name: str
    """What it is called on the command line, and its folder."""
    title: str
    """What it is, for people."""
    home: str
    """Its page."""
    licence: str
    """Under which terms the photos may be used."""
    citation: str
    """What to cite, as BibTeX."""
    photos: Packed
    """The archive of the photos."""
    labels: Packed
    """The archive that says what is on them."""
    wanted: Callable[[dict[str, str]], frozenset[str]]
    """From the texts of `labels`, name -> text, to the names of photos to keep in `photos`."""


def cats_of_pets(texts: dict[str, str]) -> frozenset[str]:
    """The cats among the Oxford-IIIT pets.

    Each line of `trainval.txt` and `test.txt` is a photo's name and three numbers, the second of
    which is 1 for a cat and 2 for a dog. torchvision's `OxfordIIITPet` reads the same two lists.

    Args:
        texts: Names in the archive of annotations, and what they hold.

    Returns:
        Names in the archive of photos.

    Raises:
        FetchRefused: There are no such lists.
    """
    cats = set()
    for split in ("trainval", "test"):
        text = texts.get(f"annotations/{split}.txt")
        if text is None:
            raise FetchRefused(
                f"The archive of annotations has no annotations/{split}.txt, so nothing says which "
                "photos are of cats; rerun the same command later."
            )
        for line in text.splitlines():
            words = line.split()
            if len(words) == 4 and words[2] == "1":
                cats.add(f"images/{words[0]}.jpg")
    return frozenset(cats)


OXFORD_PETS = Album(
    name="oxford-pets",
    title="The cats of the Oxford-IIIT Pet Dataset: about 2,400 photos of twelve breeds",
    home="https://www.robots.ox.ac.uk/~vgg/data/pets/",
    licence="Creative Commons Attribution-ShareAlike 4.0 "
    "(https://creativecommons.org/licenses/by-sa/4.0/). The copyright in each photo remains with "
    "its owner.",
    citation="""@inproceedings{parkhi12a,
  author    = {Parkhi, O. M. and Vedaldi, A. and Zisserman, A. and Jawahar, C. V.},
  title     = {Cats and Dogs},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition},
  year      = {2012},
}""",
    photos=Packed(
        url="https://www.robots.ox.ac.uk/~vgg/data/pets/data/images.tar.gz",
        md5="5c4f3ee8e5d25df40f4fd59a7f44e54c",
    ),
    labels=Packed(
        url="https://www.robots.ox.ac.uk/~vgg/data/pets/data/annotations.tar.gz",
        md5="95a8c909bbe2e81eed6a22bccdf3f68f",
    ),
    wanted=cats_of_pets,
)

ALBUMS = {album.name: album for album in (OXFORD_PETS,)}
"""Name -> album."""

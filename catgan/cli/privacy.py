"""That a file shows a person's own photos: said wherever one is written that might be sent on."""


def contains_photos(what: str) -> str:
    """The sentence.

    Args:
        what: The file, as the beginning of a sentence.
    """
    return f"{what} contains your photos; mind who sees it."

"""Which epoch of a run is its best."""

from collections.abc import Iterable

from catgan.core.files import Json


def best_record(records: Iterable[Json]) -> Json | None:
    """The record of the epoch whose samples come nearest to the held-out pictures, by KID.

    An epoch whose samples are copies of training pictures is none.

    Args:
        records: Lines of `stats.jsonl`.

    Returns:
        The earliest of the best; None where no epoch was measured, or every one was copying.
    """
    measured = [
        record
        for record in records
        if isinstance(record.get("kid"), float) and not record.get("copying", False)
    ]
    if not measured:
        return None
    return min(measured, key=lambda record: float(record["kid"]))

"""Whether a run copies the images it was trained on, in a sentence."""

from catgan.compare.measured.run import MeasuredRun
from catgan.compare.quantities.catalogue import CLOSE
from catgan.compare.quantities.quantity import Found
from catgan.core.words import percent
from catgan.measure.metrics.neighbours import CLOSE as USUAL
from catgan.measure.statistics.differences import over_runs


def copying_note(run: MeasuredRun) -> list[str]:
    """One sentence where more samples are close to a training image than chance allows; else none.

    Args:
        run: Measured.
    """
    found = run.found.get(CLOSE.key)
    if not isinstance(found, Found) or over_runs([found.number]).low <= USUAL:
        return []
    what = "these images" if run.candidate.run is None else "its samples"
    copies = "they are copies" if run.candidate.run is None else "it copies"
    return [
        f"{percent(found.number.number)} of {what} are close to a training image, where new photos "
        f"would give {percent(USUAL)}: {copies}, so a good KID means little."
    ]

"""What a person decided, applied: the verdicts by hand, and the squares that are to be cut for it.

`catgan/formats/decisions.py` has the file, `formats/standing.py` what it comes to for one photo.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from catgan.core.words import count
from catgan.curate.config import CurateConfig
from catgan.curate.crop import square_around
from catgan.curate.finding import Face, Finding
from catgan.curate.judge import NONE, Judged, pictures_of, together
from catgan.curate.square import Square, box_of, square_of
from catgan.formats.datasets import FACE_CROP
from catgan.formats.decisions import Choice, Decision
from catgan.formats.photos import Verdict
from catgan.formats.standing import PhotoStanding, by_place, stand

Wanted = tuple[Square, bool]
"""A square to be cropped, and whether a person drew or chose it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCounts:
    """How many decisions hold, the last one about each face or photo."""

    rejected: int = 0
    """Faces, and photos as a whole, that were rejected."""
    kept: int = 0
    """Those that were kept as they were found."""
    drawn: int = 0
    """Faces whose square was drawn by hand."""
    waiting: int = 0
    """Photos with decisions that are not here, or cannot be read just now; theirs are kept, and
    hold once they are."""

    @property
    def applied(self) -> int:
        """All that hold."""
        return self.rejected + self.kept + self.drawn


def place_of(finding: Finding) -> tuple[str, float | None]:
    """What decisions know a photo, or a frame of a video, by."""
    if not finding.clip:
        return finding.sha256, None
    moment = finding.path.removeprefix(finding.clip)
    return finding.sha256, float(moment.removeprefix("@").removesuffix("s"))


def standings(
    findings: Iterable[Finding], decisions: Iterable[Decision]
) -> dict[str, PhotoStanding]:
    """What was decided about photos, by path; of copies of one file only the first has it.

    Args:
        findings: By path.
        decisions: All of them, in their order.
    """
    places = by_place(decisions)
    found: dict[str, PhotoStanding] = {}
    seen = set()
    for finding in findings:
        place = place_of(finding) if finding.readable else None
        if place not in places or place in seen or place is None:
            continue
        seen.add(place)
        own = [face for face in finding.faces if not face.by_hand]
        found[finding.path] = stand([box_of(face.square) for face in own], places[place])
    return found


def count_decisions(
    findings: Iterable[Finding],
    decisions: Sequence[Decision],
    standing: Mapping[str, PhotoStanding],
    config: CurateConfig,
) -> DecisionCounts:
    """How many decisions hold.

    Args:
        findings: Of all photos, as they are in the end.
        decisions: All of them.
        standing: What was decided about photos, by path.
        config: Says what is cropped.
    """
    paths = {finding.path: finding for finding in findings}
    places = {place_of(finding) for finding in paths.values() if finding.readable}
    missing = {one.place for one in decisions} - places
    rejected = kept = drawn = 0
    for path, one in standing.items():
        if not is_cut(paths[path], one, config):
            missing.add(place_of(paths[path]))
            continue
        rejected += one.choice is Choice.REJECTED
        kept += one.choice is Choice.KEPT
        for face in one.faces:
            rejected += face.choice is Choice.REJECTED
            kept += face.choice is Choice.KEPT and face.square is None
            drawn += face.choice is Choice.KEPT and face.square is not None
    return DecisionCounts(rejected=rejected, kept=kept, drawn=drawn, waiting=len(missing))


def squares_wanted(
    finding: Finding, standing: PhotoStanding | None, config: CurateConfig
) -> list[Wanted] | None:
    """The squares that are to be cropped of a photo, the first one's picture named like the photo.

    Args:
        finding: Of the photo, with or without what was cut by hand before.
        standing: What was decided about it.
        config: Says what is cropped without that.

    Returns:
        None where the crops that are cut of themselves are all that is wanted.
    """
    own = [face for face in finding.faces if not face.by_hand]
    usual = [
        index
        for index, face in enumerate(own)
        if face.square.side >= config.min_face and _is_large(face.square, finding, config)
    ]
    if config.faces == "best":
        usual = usual[:1]
    wanted: list[Wanted] = []
    for face in standing.faces if standing else ():
        by_hand = face.choice is Choice.KEPT and (
            face.square is not None or face.found not in usual
        )
        if by_hand:
            wanted.append((square_of(*face.shown), True))
        elif face.found in usual and face.choice is not Choice.REJECTED:
            wanted.append((square_of(*box_of(own[face.found].square)), False))
    return wanted if any(by_hand for _, by_hand in wanted) else None


def _is_large(ears: Square, finding: Finding, config: CurateConfig) -> bool:
    around = square_around(ears, margin=config.margin, width=finding.width, height=finding.height)
    return around.side >= config.size


def lacks_usual(finding: Finding, standing: PhotoStanding | None, config: CurateConfig) -> bool:
    """Whether a photo was cut by hand, and is to be cut again as it is without that."""
    by_hand = any(face.by_hand for face in finding.faces)
    return by_hand and squares_wanted(finding, standing, config) is None


def is_cut(finding: Finding, standing: PhotoStanding | None, config: CurateConfig) -> bool:
    """Whether a photo's crops are those that are wanted."""
    wanted = squares_wanted(finding, standing, config)
    hands = {box_of(face.square) for face in finding.faces if face.by_hand}
    if wanted is None:
        return not hands
    cut = {box_of(face.square) for face in finding.faces if face.crop and not face.by_hand}
    return hands == {box_of(square) for square, by_hand in wanted if by_hand} and cut == {
        box_of(square) for square, by_hand in wanted if not by_hand
    }


def decide(
    judged: Sequence[Judged],
    standing: Mapping[str, PhotoStanding],
    config: CurateConfig,
) -> list[Judged]:
    """The verdicts, with what was decided by hand.

    A rejected face is left out of `face-crop`, and its photo is `rejected` where no other face is
    kept; a photo rejected as a whole is in no data set. What was kept is in, whatever the screens
    say. Nothing else changes: the photos that a rejected one was thought better than stay out.

    Args:
        judged: By path.
        standing: What was decided about photos, by path.
        config: Says whether there is a `full-body-kept`, and whether bursts are one photo.
    """
    result = [
        _decided(one, standing[one.finding.path], config) if one.finding.path in standing else one
        for one in judged
    ]
    back = any(
        now.pictures and before.verdict is Verdict.DUPLICATE
        for now, before in zip(result, judged, strict=True)
    )
    # near copies that are there once more are held out together, as without the screen
    return together(result) if back else result


def _decided(judged: Judged, standing: PhotoStanding, config: CurateConfig) -> Judged:
    finding = judged.finding
    if standing.choice is Choice.REJECTED:
        return _with(judged, Verdict.REJECTED, "the whole photo was rejected by hand", NONE)
    cropped = finding.cropped()
    was = judged.pictures.get(FACE_CROP, ())
    choices = [_choice(face, standing) for face in cropped]
    kept = [
        index
        for index, choice in enumerate(choices)
        if choice is Choice.KEPT or (choice is not Choice.REJECTED and finding.file(index) in was)
    ]
    rejected = [face for face in standing.faces if face.choice is Choice.REJECTED]
    by_hand = sum(choice is Choice.KEPT for choice in choices)
    if standing.choice is Choice.KEPT and judged.verdict is Verdict.DUPLICATE:
        kept = kept or list(range(len(cropped)))
    there = bool(judged.pictures) or by_hand > 0 or standing.choice is Choice.KEPT
    pictures = pictures_of(finding, kept, config) if there else NONE
    if kept:
        words = [f"{count(by_hand, 'face')} kept by hand"] if by_hand else []
        words += [f"{count(len(rejected), 'face')} rejected by hand"] if rejected else []
        words += [] if words or not standing.choice else ["kept by hand"]
        return _with(judged, Verdict.KEPT, ", ".join(words) or judged.reason, pictures)
    if rejected:
        reason = f"{count(len(rejected), 'face')} rejected by hand"
        return _with(judged, Verdict.REJECTED, reason, pictures)
    if standing.choice is Choice.KEPT and judged.verdict is Verdict.DUPLICATE:
        verdict = Verdict.FACE_TOO_SMALL if finding.faces else Verdict.NO_FACE
        return _with(judged, verdict, "the whole photo was kept by hand", pictures)
    return judged


def _with(
    judged: Judged, verdict: Verdict, reason: str, pictures: Mapping[str, tuple[str, ...]]
) -> Judged:
    return dataclasses.replace(judged, verdict=verdict, reason=reason, pictures=pictures)


def _choice(face: Face, standing: PhotoStanding) -> Choice | None:
    """What was decided about a face that has a crop."""
    if face.by_hand:
        return Choice.KEPT
    here = box_of(face.square)
    return next((one.choice for one in standing.faces if (one.box, one.roll) == here), None)

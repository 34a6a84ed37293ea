"""Decisions on disk, and what they come to."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from catgan.core.errors import BadRecord, FileRefused
from catgan.formats import decisions
from catgan.formats.decisions import (
    NAME,
    Choice,
    Decision,
    append_decisions,
    merge_decisions,
    read_decisions,
)
from catgan.formats.standing import by_place, overlap, stand

PHOTO = "ab" * 32
FACE = (100.0, 80.0, 60.0, 60.0)
OTHER = (400.0, 80.0, 60.0, 60.0)
FOUND = [(FACE, 5.0), (OTHER, 0.0)]


def decided(choice: str, box: Any = FACE, **more: Any) -> Decision:
    return Decision(sha256=PHOTO, box=box, decision=choice, decided=decisions.now(), **more)


@pytest.mark.parametrize("torn", [b"", b'{"sha256": "ab', b'{"sha256": "abab", "x": '])
def test_they_come_back_and_a_torn_last_line_is_no_matter(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / NAME
    first = [decided("kept", roll=5.0), decided("rejected", seconds=12.5), decided("kept", None)]
    append_decisions(path, first)
    with path.open("ab") as file:
        file.write(torn)
    assert read_decisions(path) == first
    more = decided("cleared")
    append_decisions(path, [more])  # starts on a line of its own
    assert read_decisions(path) == [*first, more]


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    try:
        (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")
    except OSError:
        pytest.skip("links need a right here")
    with pytest.raises(FileRefused):
        append_decisions(tmp_path / NAME, [decided("kept")])
    assert not (tmp_path / "elsewhere").read_bytes()


@pytest.mark.parametrize(
    "line",
    [
        '{"sha256": "", "decision": "kept", "decided": ""}',
        f'{{"sha256": "{PHOTO}", "decision": "kept", "decided": "", "box": [0, 0, 0, 5]}}',
        f'{{"sha256": "{PHOTO}", "decision": "kept", "decided": "", "box": [0, 0, 1e99, 5]}}',
        f'{{"sha256": "{PHOTO}", "decision": "kept", "decided": "", "roll": 1e9}}',
        f'{{"sha256": "{PHOTO}", "decision": "kept", "decided": "", "seconds": -1}}',
        f'{{"sha256": "{PHOTO}", "decision": "kept", "decided": "", "square": [0, 0, 9, 9]}}',
    ],
)
def test_what_nobody_can_have_decided_is_refused_by_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / NAME).write_text(line + "\n")
    with pytest.raises(BadRecord, match="line 1"):
        read_decisions(tmp_path / NAME)


def test_merging_twice_adds_nothing(tmp_path: Path) -> None:
    mine, theirs = tmp_path / NAME, [decided("kept"), decided("rejected", OTHER)]
    append_decisions(mine, theirs[:1])
    assert merge_decisions(mine, theirs) == theirs[1:]
    assert merge_decisions(mine, theirs) == []
    assert read_decisions(mine) == theirs


def test_the_last_one_wins() -> None:
    def choices(*made: Decision) -> list[Choice | None]:
        return [face.choice for face in stand(FOUND, made).faces]

    assert choices() == [None, None]
    assert choices(decided("rejected")) == [Choice.REJECTED, None]
    assert choices(decided("rejected"), decided("kept")) == [Choice.KEPT, None]
    assert choices(decided("rejected"), decided("cleared")) == [None, None]
    assert choices(decided("kept"), decided("of a newer catgan")) == [Choice.KEPT, None]
    both = decided("rejected"), decided("rejected", OTHER)
    assert choices(*both) == [Choice.REJECTED, Choice.REJECTED]
    assert stand(FOUND, [decided("rejected", None)]).choice is Choice.REJECTED


def test_a_square_stays_with_its_face_until_it_is_cleared() -> None:
    square = (110.0, 90.0, 80.0, 80.0)
    drawn = decided("kept", square=square, square_roll=-3.0)
    back = decided("kept", square=FACE, square_roll=5.0)
    assert stand(FOUND, [drawn]).faces[0].square == (square, -3.0)
    assert stand(FOUND, [drawn, decided("rejected")]).faces[0].square == (square, -3.0)
    assert stand(FOUND, [drawn, decided("cleared")]).faces[0].square is None
    assert stand(FOUND, [drawn, back]).faces[0].square is None
    assert stand(FOUND, [drawn, back]).faces[0].choice is Choice.KEPT


def test_a_face_drawn_where_none_was_found() -> None:
    new = (250.0, 200.0, 50.0, 50.0)
    moved = (260.0, 200.0, 50.0, 50.0)
    made = [decided("kept", new, roll=2.0)]
    (face,) = stand([], made).faces
    assert (face.found, face.shown) == (None, (new, 2.0))
    made.append(decided("kept", new, square=moved))
    assert stand([], made).faces[0].shown == (moved, 0.0)
    assert stand([], [*made, decided("rejected", new)]).faces[0].choice is Choice.REJECTED
    assert stand([], [*made, decided("cleared", new)]).faces == ()
    assert stand([], [decided("rejected", new)]).faces == ()


def test_another_finder_may_put_the_box_elsewhere_by_a_little() -> None:
    moved = [((x + 8, y - 6, w + 5, h + 5), roll) for (x, y, w, h), roll in FOUND]
    faces = stand(moved, [decided("rejected"), decided("kept", OTHER)]).faces
    assert [face.choice for face in faces] == [Choice.REJECTED, Choice.KEPT]
    gone = stand([], [decided("rejected"), decided("kept", OTHER, roll=7.0)]).faces
    assert [(face.choice, face.shown) for face in gone] == [(Choice.KEPT, (OTHER, 7.0))]


def test_overlap_is_that_of_areas() -> None:
    assert overlap(FACE, FACE) == 1
    assert overlap(FACE, OTHER) == 0
    assert overlap((0, 0, 2, 2), (1, 0, 2, 2)) == pytest.approx(1 / 3)


def test_frames_of_a_video_are_places_of_their_own() -> None:
    one = decided("kept", seconds=1.5)
    other = dataclasses.replace(one, seconds=2.0)
    assert by_place([one, other, one]) == {(PHOTO, 1.5): [one, one], (PHOTO, 2.0): [other]}

"""What the screens measure and how they judge: sharpness, brightness, near-equal photos."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from catgan.core.files import sha256
from catgan.core.images import Picture
from catgan.curate.config import CurateConfig
from catgan.curate.duplicates import NEAR, find_repeats
from catgan.curate.judge import judge
from catgan.curate.pipeline import curate_photos
from catgan.curate.screens import (
    LEAST_BRIGHTNESS,
    LEAST_SHARPNESS,
    brightness,
    fingerprint,
    sharpness,
)
from catgan.curate.verdict import Crop, Finding, Verdict
from tests.drawing import EyeDetector, Head, draw_photo, encode, write


def noise(seed: int, side: int = 64, cell: int = 2) -> Picture:
    """Blocks in random colours: sharp at their edges."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (side // cell, side // cell, 3), dtype=np.uint8)
    return blocks.repeat(cell, axis=0).repeat(cell, axis=1)


def blurred(picture: Picture, size: tuple[int, int]) -> Picture:
    """A box blur of so many pixels across and down."""
    return np.asarray(cv2.blur(picture, size), dtype=np.uint8)


def softened(picture: Picture, sigma: float) -> Picture:
    """A Gaussian blur of so many pixels."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), dtype=np.uint8)


class TestSharpness:
    def test_falls_with_every_blur(self) -> None:
        picture = noise(0)
        values = [sharpness(softened(picture, s)) for s in (0.5, 1, 1.5, 2, 3)]
        assert sharpness(picture) > values[0]
        assert values == sorted(values, reverse=True)
        assert 0 <= values[-1] < LEAST_SHARPNESS < values[0]

    @pytest.mark.parametrize("turned", [False, True])
    def test_a_smear_in_one_direction_counts(self, turned: bool) -> None:
        picture = noise(0, cell=8)
        smeared = blurred(picture, (9, 1))
        if turned:
            smeared = np.rot90(smeared).copy()
        # sharp across the smear, yet judged by the worse of the two
        assert sharpness(smeared) == pytest.approx(sharpness(blurred(picture, (9, 9))), abs=0.05)
        assert sharpness(smeared) < sharpness(picture) - 0.2

    def test_does_not_depend_on_exposure(self) -> None:
        picture = noise(0)
        dim = (picture * 0.5).astype(np.uint8)
        # integers of half the range: rounding moves it a little
        assert sharpness(dim) == pytest.approx(sharpness(picture), abs=0.01)

    def test_one_colour_is_not_sharp(self) -> None:
        assert sharpness(np.full((64, 64, 3), 77, np.uint8)) == 0

    def test_is_measured_at_one_size(self) -> None:
        large = noise(0, cell=4).repeat(4, axis=0).repeat(4, axis=1)
        assert sharpness(large) == pytest.approx(sharpness(noise(0, cell=4)), abs=0.02)


class TestBrightness:
    def test_is_what_a_tenth_reaches(self) -> None:
        picture = np.zeros((64, 64, 3), np.uint8)
        picture[:8] = 200  # an eighth of the picture
        assert brightness(picture) == pytest.approx(200)
        picture[4:8] = 0  # a sixteenth
        assert brightness(picture) == 0


class TestFingerprint:
    def test_survives_what_a_burst_does(self) -> None:
        photo = draw_photo(320, 240, Head(cx=150, cy=120, w=100), seed=1)
        frames = [
            photo[2:, 3:],
            cv2.resize(photo, (160, 120), interpolation=cv2.INTER_AREA),
            np.clip(photo * 1.1, 0, 255).astype(np.uint8),
            softened(photo, 1.5),
        ]
        for frame in frames:
            assert bits(fingerprint(photo), fingerprint(frame)) <= NEAR

    def test_tells_photos_apart(self) -> None:
        # Two unrelated hashes differ in 32 bits of 64, give or take 4; 8 or fewer is 6 sigma off.
        prints = [fingerprint(noise(seed, cell=8)) for seed in range(20)]
        assert min(bits(a, b) for i, a in enumerate(prints) for b in prints[:i]) > NEAR


def bits(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


class TestRepeats:
    def test_against_the_definition(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The same as comparing each with every picture that stays, whatever the block."""
        rng = np.random.default_rng(0)
        centres = rng.integers(0, 2**63, 12, dtype=np.int64)
        codes = [
            int(rng.choice(centres)) ^ sum(1 << int(bit) for bit in rng.choice(64, 5))
            for _ in range(150)
        ]
        prints = [f"{code:016x}" for code in codes]
        staying: list[int] = []
        expected: dict[int, int] = {}
        for index, code in enumerate(codes):
            near = [(((code ^ codes[other]).bit_count()), other) for other in staying]
            best = min(near, default=(65, -1))
            if best[0] <= NEAR:
                expected[index] = best[1]
            else:
                staying.append(index)
        assert expected
        assert len(staying) > 12
        for block in (1, 7, 1024):
            monkeypatch.setattr("catgan.curate.duplicates.BLOCK", block)
            assert find_repeats(prints) == expected

    def test_none_and_one(self) -> None:
        assert find_repeats([]) == {}
        assert find_repeats(["0" * 16]) == {}


def finding(path: str, **changes: object) -> Finding:
    values: dict[str, object] = {
        "path": path,
        "sha256": f"hash of {path}",
        "bytes": 1,
        "modified": 1,
        "width": 640,
        "height": 480,
        "verdict": Verdict.KEPT,
        "reason": "1 face found",
        "faces": (),
        "crops": (Crop(file=f"{path}.png", sharpness=0.7, brightness=200.0),),
        "sharpness": 0.7,
        "fingerprint": sha256(path.encode())[:16],  # unlike any other
        "outputs": {"full-body": f"full-body/{path}.png", "face-crop": f"face-crop/{path}.png"},
    }
    return Finding(**(values | changes))  # type: ignore[arg-type]


def crop(file: str, sharp: float = 0.7, bright: float = 200.0) -> Crop:
    return Crop(file=file, sharpness=sharp, brightness=bright)


class TestJudge:
    def test_good_photos_are_left_as_they_are(self) -> None:
        findings = [finding("a"), finding("b"), finding("c", verdict=Verdict.NO_FACE, crops=())]
        assert judge(findings, CurateConfig()) == findings

    def test_blurred_and_dark_faces(self) -> None:
        soft = finding("soft", crops=(crop("soft.png", sharp=LEAST_SHARPNESS - 0.01),))
        dark = finding("dark", crops=(crop("dark.png", bright=LEAST_BRIGHTNESS - 1),))
        judged = judge([soft, dark], CurateConfig())
        assert [f.verdict for f in judged] == [Verdict.BLURRY, Verdict.TOO_DARK]
        for found in judged:
            assert list(found.outputs) == ["full-body"]  # the whole photo stays
            assert found.crop_files() == []
        assert "sharpness 0.54" in judged[0].reason
        off = CurateConfig(blur_screen=False, dark_screen=False)
        assert judge([soft, dark], off) == [soft, dark]

    def test_one_bad_face_of_two_goes_alone(self) -> None:
        two = finding("two", crops=(crop("one.png", sharp=0.1), crop("other.png")))
        (found,) = judge([two], CurateConfig())
        assert found.verdict is Verdict.KEPT
        assert found.crop_files() == ["other.png"]
        assert found.outputs["face-crop"] == "face-crop/other.png"

    def test_of_a_burst_the_sharpest_stays(self) -> None:
        burst = [
            finding(name, fingerprint=f"{code:016x}", crops=(crop(f"{name}.png", sharp=sharp),))
            for name, code, sharp in (("a", 0, 0.7), ("b", 1, 0.8), ("c", 3, 0.6))
        ]
        judged = judge(burst, CurateConfig())
        assert [f.verdict for f in judged] == [
            Verdict.DUPLICATE,
            Verdict.KEPT,
            Verdict.DUPLICATE,
        ]
        assert judged[0].reason == "nearly the same as b, which is better"
        assert judged[0].outputs == {}
        assert judge(burst, CurateConfig(duplicate_screen=False)) == burst

    def test_a_frame_with_a_face_beats_a_sharper_one_without(self) -> None:
        none = finding(
            "a", fingerprint="0" * 16, verdict=Verdict.NO_FACE, crops=(), sharpness=0.9,
            outputs={"full-body": "full-body/a.png"},
        )  # fmt: skip
        face = finding("b", fingerprint="0" * 15 + "1")
        assert [f.verdict for f in judge([none, face], CurateConfig())] == [
            Verdict.DUPLICATE,
            Verdict.KEPT,
        ]

    def test_judging_again_changes_nothing(self) -> None:
        findings = [finding("a"), finding("b", crops=(crop("b.png", sharp=0.1),))]
        once = judge(findings, CurateConfig())
        assert [f.to_json() for f in judge(findings, CurateConfig())] == [f.to_json() for f in once]
        assert dataclasses.replace(once[0]) == findings[0]


@pytest.fixture
def burst(tmp_path: Path) -> Path:
    """Three frames of one scene (the second is the sharpest), a blurred face and a dark one."""
    raw = tmp_path / "raw"
    photo = draw_photo(320, 240, Head(cx=150, cy=120, w=100), seed=1)
    other = draw_photo(320, 240, Head(cx=170, cy=110, w=110), seed=2)
    third = draw_photo(300, 260, Head(cx=120, cy=130, w=100), seed=3)
    write(raw / "frame1.png", encode(softened(photo, 1.0), "PNG"))
    write(raw / "frame2.png", encode(photo, "PNG"))
    write(raw / "frame3.png", encode(np.ascontiguousarray(photo[1:, 2:]), "PNG"))
    write(raw / "soft.png", encode(softened(other, 4.0), "PNG"))
    write(raw / "dark.png", encode((third * 0.15).astype(np.uint8), "PNG"))
    return raw


class Anywhere:
    """Finds the head where the album's scenes have it, whatever was done to the colours."""

    side = 320

    def find(self, photo: object) -> list[object]:
        from catgan.curate.detect import Face

        return [Face(x=100, y=70, w=100, h=100, roll=0.0, score=1.0, cascade="here")]


def verdicts(raw: Path, curated: Path, **changes: bool) -> dict[str, str]:
    from catgan.core.files import read_jsonl

    config = CurateConfig(workers=1, **changes)  # type: ignore[arg-type]
    curate_photos(raw, curated, config, make_detector=Anywhere)  # type: ignore[arg-type]
    return {r["path"]: r["verdict"] for r in read_jsonl(curated / "photos.jsonl")}


class TestOnDisk:
    def test_each_has_its_verdict_and_only_what_is_kept_a_picture(
        self, burst: Path, tmp_path: Path
    ) -> None:
        assert verdicts(burst, tmp_path / "c") == {
            "dark.png": "too-dark",
            "frame1.png": "duplicate",
            "frame2.png": "kept",
            "frame3.png": "duplicate",
            "soft.png": "blurry",
        }
        crops = sorted(path.name[:6] for path in (tmp_path / "c" / "face-crop").glob("*.png"))
        assert crops == ["frame2"]
        whole = sorted(
            path.name.split("-")[0] for path in (tmp_path / "c" / "full-body").glob("*.png")
        )
        assert whole == ["dark", "frame2", "soft"]

    def test_a_screen_turned_off_brings_them_back_and_on_takes_them_out(
        self, burst: Path, tmp_path: Path
    ) -> None:
        first = verdicts(burst, tmp_path / "c")
        off = {"blur_screen": False, "dark_screen": False, "duplicate_screen": False}
        assert set(verdicts(burst, tmp_path / "c", **off).values()) == {"kept"}
        assert len(list((tmp_path / "c" / "face-crop").glob("*.png"))) == 5
        assert verdicts(burst, tmp_path / "c") == first

    def test_when_the_best_is_gone_the_next_takes_its_place(
        self, burst: Path, tmp_path: Path
    ) -> None:
        verdicts(burst, tmp_path / "c")
        (burst / "frame2.png").unlink()
        after = verdicts(burst, tmp_path / "c")
        assert after["frame3.png"] == "kept"
        assert after["frame1.png"] == "duplicate"
        assert [p.name[:6] for p in (tmp_path / "c" / "face-crop").glob("*.png")] == ["frame3"]

    def test_a_second_run_looks_at_nothing(self, burst: Path, tmp_path: Path) -> None:
        config = CurateConfig(workers=1)
        curate_photos(burst, tmp_path / "c", config, make_detector=EyeDetector())
        again = curate_photos(burst, tmp_path / "c", config, make_detector=EyeDetector())
        assert again.fresh == 0

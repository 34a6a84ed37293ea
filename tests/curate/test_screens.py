"""What the screens measure and how they judge: sharpness, brightness, near-equal photos."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from catgan.core.files import sha256
from catgan.core.photos import Photo
from catgan.core.pictures import Picture
from catgan.curate.config import CurateConfig
from catgan.curate.duplicates import NEAR, NEAR_CONTENT, NEAR_CROP, PrintCodes, Prints, find_repeats
from catgan.curate.finding import Crop, Face, Finding
from catgan.curate.judge import Judged, first_verdict, judge
from catgan.curate.pipeline import curate_photos
from catgan.curate.screens import (
    LEAST_BRIGHTNESS,
    LEAST_SHARPNESS,
    brightness,
    fingerprint,
    sharpness,
)
from catgan.curate.square import Square
from catgan.formats.datasets import FACE_CROP, FULL_BODY, FULL_BODY_KEPT, SPLIT
from catgan.formats.photos import Verdict, read_photos
from tests.drawing import EyeDetector, Head, draw_photo, encode, tree, write


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

    def test_against_the_definition(self) -> None:
        """OpenCV's cosine transform of the picture in grey at 32 x 32, without its norm."""
        flat = np.full((40, 50, 3), 77, np.uint8)
        photos = [draw_photo(320, 240, Head(cx=150, cy=120, w=100), seed=s) for s in range(20)]
        for picture in (*photos, *map(noise, range(20)), flat):
            grey = Image.fromarray(picture).convert("L")
            small = grey.resize((32, 32), Image.Resampling.LANCZOS)
            norm = np.array([2**0.5, *[1.0] * 7])
            low = cv2.dct(np.asarray(small, dtype=np.float64))[:8, :8] * np.outer(norm, norm)
            ones = "".join("1" if value > np.median(low) else "0" for value in low.round(6).flat)
            assert fingerprint(picture) == f"{int(ones, 2):016x}"


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
            assert find_repeats(PrintCodes.of(Prints(frame=one) for one in prints)) == expected

    def test_none_and_one(self) -> None:
        assert find_repeats(PrintCodes.of([])) == {}
        assert find_repeats(PrintCodes.of([Prints(frame="0" * 16)])) == {}

    def test_equal_frames_are_no_repeats_where_content_and_crop_differ(self) -> None:
        far, same = "f" * 16, "0" * 16
        one = Prints(frame=same, content=same, crop=same)
        for content, crop, expected in (
            (same, far, True),
            (far, same, True),
            (far, far, False),
            (far, "", False),
            ("", "", True),
        ):
            other = Prints(frame=same, content=content, crop=crop)
            assert bool(find_repeats(PrintCodes.of([one, other]))) == expected
        assert 0 < NEAR_CROP <= NEAR_CONTENT < 20


def face(sharp: float = 0.7, bright: float = 200.0, side: float = 80) -> Face:
    square = Square(cx=100, cy=100, side=side)
    return Face(square=square, crop=Crop(sharpness=sharp, brightness=bright, detail=sharp))


def finding(path: str, *faces: Face, **changes: object) -> Finding:
    values: dict[str, object] = {
        "path": path,
        "sha256": sha256(path.encode()),
        "bytes": 1,
        "modified": 1,
        "width": 640,
        "height": 480,
        "detector": "by hand",
        "faces": faces,
        "sharpness": 0.7,
        "fingerprint": sha256(path.encode())[:16],  # unlike any other
    }
    return Finding(**(values | changes))  # type: ignore[arg-type]


OFF = CurateConfig(blur_screen=False, dark_screen=False, duplicate_screen=False)


def sets(judged: Judged) -> dict[str, list[int]]:
    """The data sets that a photo has pictures in: those of its faces, 0 for the whole photo."""
    names = [judged.finding.file(index) for index in range(9)]
    return {name: list(map(names.index, files)) for name, files in judged.pictures.items()}


class TestJudge:
    def test_every_photo_by_itself(self) -> None:
        """No screen and no copy has a say: what looking found decides."""
        findings = [
            finding("kept", face()),
            finding("two", face(), Face(square=Square(cx=1, cy=1, side=9))),
            finding("none"),
            finding("small", Face(square=Square(cx=1, cy=1, side=9)), why_not="too small"),
            finding("cut", width=0, height=0, why_not="cut short"),
        ]
        expected = [
            (Verdict.KEPT, "1 face found"),
            (Verdict.KEPT, "2 faces found"),
            (Verdict.NO_FACE, "no cat face found"),
            (Verdict.FACE_TOO_SMALL, "too small"),
            (Verdict.UNREADABLE, "cut short"),
        ]
        assert list(map(first_verdict, findings)) == expected
        for config in (CurateConfig(), OFF):
            judged = judge(findings, config)
            assert [(found.verdict, found.reason) for found in judged] == expected
            assert [found.finding for found in judged] == findings
        whole_and_crop = {FULL_BODY: [0], FACE_CROP: [0]}
        whole = {FULL_BODY: [0]}
        assert [sets(found) for found in judged] == [
            whole_and_crop, whole_and_crop, whole, whole, {},
        ]  # fmt: skip

    def test_the_third_data_set_is_of_those_with_a_crop(self) -> None:
        findings = [finding("two", face(), face()), finding("none"), finding("soft", face(0.1))]
        judged = judge(findings, CurateConfig(ablation=True))
        assert [sets(found) for found in judged] == [
            {FULL_BODY: [0], FULL_BODY_KEPT: [0], FACE_CROP: [0, 1]},
            {FULL_BODY: [0]},
            {FULL_BODY: [0]},
        ]

    def test_blurred_and_dark_faces(self) -> None:
        soft = finding("soft", face(sharp=LEAST_SHARPNESS - 0.01))
        dark = finding("dark", face(bright=LEAST_BRIGHTNESS - 1))
        judged = judge([soft, dark], CurateConfig())
        assert [found.verdict for found in judged] == [Verdict.BLURRY, Verdict.TOO_DARK]
        for found in judged:
            assert sets(found) == {FULL_BODY: [0]}  # the whole photo stays
        assert "sharpness 0.54" in judged[0].reason
        # a hair below the limit does not read as if it were enough
        (hair,) = judge([finding("soft", face(sharp=LEAST_SHARPNESS - 0.0001))], CurateConfig())
        assert "sharpness 0.549" in hair.reason
        for found in judge([soft, dark], OFF):
            assert found.verdict is Verdict.KEPT
            assert sets(found) == {FULL_BODY: [0], FACE_CROP: [0]}

    def test_one_bad_face_of_two_goes_alone(self) -> None:
        (found,) = judge([finding("two", face(sharp=0.1), face())], CurateConfig())
        assert found.verdict is Verdict.KEPT
        assert sets(found) == {FULL_BODY: [0], FACE_CROP: [1]}

    def test_of_a_burst_the_sharpest_stays(self) -> None:
        burst = [
            finding(name, face(sharp=sharp), fingerprint=f"{code:016x}")
            for name, code, sharp in (("a", 0, 0.7), ("b", 1, 0.8), ("c", 3, 0.6))
        ]
        judged = judge(burst, CurateConfig())
        assert [found.verdict for found in judged] == [
            Verdict.DUPLICATE,
            Verdict.KEPT,
            Verdict.DUPLICATE,
        ]
        assert judged[0].reason == "nearly the same as b, which is better"
        assert judged[0].pictures == {}
        off = judge(burst, CurateConfig(duplicate_screen=False))
        assert {found.verdict for found in off} == {Verdict.KEPT}

    def test_a_face_half_as_wide_again_goes_before_a_sharper_one(self) -> None:
        for width, expected in ((120, "large"), (119, "small")):
            copies = [
                finding("large", face(sharp=0.6, side=width), fingerprint="0" * 16),
                finding("small", face(sharp=0.8, side=80), fingerprint="0" * 15 + "1"),
            ]
            kept = [
                one.finding.path
                for one in judge(copies, CurateConfig())
                if one.verdict is Verdict.KEPT
            ]
            assert kept == [expected]

    def test_no_chain_forms_where_a_wider_one_takes_the_place(self) -> None:
        """c is near to b, the sharpest, but not to a, the widest: it stays beside a."""
        near_a, near_b = f"{0:016x}", f"{0b111111:016x}"
        both = [
            finding("a", face(sharp=0.6, side=200), fingerprint=near_a),
            finding("b", face(sharp=0.8), fingerprint=near_b),
            finding("c", face(sharp=0.7), fingerprint=f"{0b111111_111111:016x}"),
        ]
        judged = judge(both, CurateConfig())
        assert [one.verdict for one in judged] == [Verdict.KEPT, Verdict.DUPLICATE, Verdict.KEPT]
        assert judged[1].reason == "nearly the same as a, which is better"

    def test_of_equal_files_the_first_by_path_stays(self) -> None:
        """Whichever screens are on: it is one photo."""
        same = [finding(name, face(), sha256="a" * 64) for name in ("1.jpg", "2.jpg")]
        for config in (CurateConfig(), OFF):
            judged = judge(same, config)
            assert [found.verdict for found in judged] == [Verdict.KEPT, Verdict.DUPLICATE]
            assert judged[1].reason == "the same file as 1.jpg"
            assert judged[1].pictures == {}

    def test_a_frame_with_a_face_beats_a_sharper_one_without(self) -> None:
        none = finding("a", fingerprint="0" * 16, sharpness=0.9)
        one = finding("b", face(), fingerprint="0" * 15 + "1")
        assert [found.verdict for found in judge([none, one], CurateConfig())] == [
            Verdict.DUPLICATE,
            Verdict.KEPT,
        ]


@pytest.fixture
def burst(tmp_path: Path) -> Path:
    """Three frames of one scene (the second is the sharpest), a blurred face and a dark one."""
    raw = tmp_path / "raw"
    photo = draw_photo(320, 240, Head(cx=150, cy=120, w=100), seed=1)
    other = draw_photo(320, 240, Head(cx=170, cy=110, w=110), seed=2)
    third = draw_photo(300, 260, Head(cx=120, cy=130, w=100), seed=3)
    write(raw / "frame1.png", encode(softened(photo, 1.0), "PNG"))
    write(raw / "frame2.png", encode(photo, "PNG"))
    write(raw / "frame3.png", encode(np.ascontiguousarray(softened(photo, 0.6)[1:, 2:]), "PNG"))
    write(raw / "soft.png", encode(softened(other, 4.0), "PNG"))
    write(raw / "dark.png", encode((third * 0.15).astype(np.uint8), "PNG"))
    return raw


class Anywhere:
    """Finds the head where the album's scenes have it, whatever was done to the colours."""

    name = "here"
    side = 320
    looked = 0

    def find(self, photo: object) -> list[Square]:
        Anywhere.looked += 1
        return [Square(cx=150, cy=120, side=100, score=1.0)]


def verdicts(raw: Path, curated: Path, **changes: bool) -> dict[str, str]:
    config = CurateConfig(workers=1, **changes)  # type: ignore[arg-type]
    curate_photos(raw, curated, config, make_detector=Anywhere)
    return {photo.path: photo.verdict for photo in read_photos(curated)}


def pictures(folder: Path) -> list[str]:
    """The photos whose pictures are in a data set."""
    return sorted(path.name.split("-")[0] for path in (folder / SPLIT).glob("*.png"))


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
        assert pictures(tmp_path / "c" / FACE_CROP) == ["frame2"]
        assert pictures(tmp_path / "c" / FULL_BODY) == ["dark", "frame2", "soft"]

    def test_a_screen_turned_off_brings_them_back_and_on_takes_them_out(
        self, burst: Path, tmp_path: Path
    ) -> None:
        first = verdicts(burst, tmp_path / "c")
        before = tree(tmp_path / "c")
        looked = Anywhere.looked
        off = {"blur_screen": False, "dark_screen": False, "duplicate_screen": False}
        assert set(verdicts(burst, tmp_path / "c", **off).values()) == {"kept"}
        assert len(pictures(tmp_path / "c" / FACE_CROP)) == 5
        assert not list((tmp_path / "c").rglob(".left-out"))
        assert verdicts(burst, tmp_path / "c") == first
        assert tree(tmp_path / "c") == before
        assert Anywhere.looked == looked, "a verdict moves pictures, and draws none"
        verdicts(burst, tmp_path / "at once", **off)
        verdicts(burst, tmp_path / "c", **off)
        assert tree(tmp_path / "c") == tree(tmp_path / "at once")

    def test_when_the_best_is_gone_the_next_takes_its_place(
        self, burst: Path, tmp_path: Path
    ) -> None:
        verdicts(burst, tmp_path / "c")
        (burst / "frame2.png").unlink()
        looked = Anywhere.looked
        after = verdicts(burst, tmp_path / "c")
        assert after["frame3.png"] == "kept"
        assert after["frame1.png"] == "duplicate"
        assert pictures(tmp_path / "c" / FACE_CROP) == ["frame3"]
        assert Anywhere.looked == looked
        verdicts(burst, tmp_path / "as new")
        assert tree(tmp_path / "c") == tree(tmp_path / "as new")

    def test_a_face_crop_that_would_be_empty_is_none(self, burst: Path, tmp_path: Path) -> None:
        """An empty class stops torchvision; what a screen took out is kept all the same."""
        from torchvision.datasets import ImageFolder

        for path in burst.glob("frame*"):
            path.unlink()
        assert set(verdicts(burst, tmp_path / "c").values()) == {"blurry", "too-dark"}
        assert not (tmp_path / "c" / FACE_CROP).exists()
        assert ImageFolder(str(tmp_path / "c")).classes == [FULL_BODY]
        looked = Anywhere.looked
        verdicts(burst, tmp_path / "c", blur_screen=False)
        assert pictures(tmp_path / "c" / FACE_CROP) == ["soft"]
        assert Anywhere.looked == looked

    @pytest.mark.parametrize("damage", ["lost", "emptied"])
    def test_a_photo_is_looked_at_again_for_a_picture_left_out(
        self, burst: Path, tmp_path: Path, damage: str
    ) -> None:
        verdicts(burst, tmp_path / "c")
        before = tree(tmp_path / "c")
        (picture,) = (tmp_path / "c").rglob("soft-*.out")
        picture.unlink() if damage == "lost" else picture.write_bytes(b"")
        looked = Anywhere.looked
        verdicts(burst, tmp_path / "c")
        assert Anywhere.looked == looked + 1
        assert tree(tmp_path / "c") == before

    def test_with_other_settings_nothing_stays_left_out(self, burst: Path, tmp_path: Path) -> None:
        """Gone before the first photo: a power cut must not bring one of another size back."""

        def stop(_: object) -> None:
            raise KeyboardInterrupt

        verdicts(burst, tmp_path / "c")
        assert list((tmp_path / "c").rglob("*.out"))
        smaller = CurateConfig(workers=1, size=48)
        with pytest.raises(KeyboardInterrupt):
            curate_photos(burst, tmp_path / "c", smaller, make_detector=Anywhere, progress=stop)
        assert not list((tmp_path / "c").rglob(".left-out"))

    def test_what_is_in_a_data_set_is_newer_than_what_is_left_out(
        self, burst: Path, tmp_path: Path
    ) -> None:
        """Where there are both, as after a kill: the one that was drawn last is the picture."""
        verdicts(burst, tmp_path / "c")
        before = tree(tmp_path / "c")
        (out,) = (tmp_path / "c").rglob("soft-*.out")
        inside = tmp_path / "c" / FACE_CROP / SPLIT / out.stem
        inside.write_bytes(out.read_bytes())
        out.write_bytes(b"older")
        verdicts(burst, tmp_path / "c")
        assert tree(tmp_path / "c") == before

    def test_a_second_run_looks_at_nothing(self, burst: Path, tmp_path: Path) -> None:
        config = CurateConfig(workers=1)
        curate_photos(burst, tmp_path / "c", config, make_detector=EyeDetector())
        again = curate_photos(burst, tmp_path / "c", config, make_detector=EyeDetector())
        assert again.fresh == 0


def textured(seed: int) -> Picture:
    """360 x 480: blocks, small and large, unlike those of any other seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8).repeat(30, axis=0).repeat(30, axis=1)
    return np.asarray(coarse // 2 + noise(seed, side=480, cell=4)[:360] // 4, dtype=np.uint8)


class TestPhotosOnAnEvenGround:
    """Small photos in the middle of white, and prints in the corner of a scan."""

    @pytest.mark.parametrize(
        ("shape", "ground", "corner"),
        [((1200, 1600), 255, (420, 560)), ((1754, 1240), 247, (12, 20))],
        ids=["white", "scan"],
    )
    def test_are_told_apart_and_their_copies_found(
        self, shape: tuple[int, int], ground: int, corner: tuple[int, int], tmp_path: Path
    ) -> None:
        grain = np.random.default_rng(0)
        raw = tmp_path / "raw"
        frames = []
        for seed in range(12):
            page = np.full((*shape, 3), ground, np.uint8)
            page -= grain.integers(0, 3, page.shape, dtype=np.uint8)
            top, left = corner
            page[top : top + 360, left : left + 480] = textured(seed)
            frames.append(fingerprint(page))
            write(raw / f"{seed:02d}.jpg", encode(page, quality=92))
        near = [bits(a, b) <= NEAR for i, a in enumerate(frames) for b in frames[:i]]
        assert any(near), "or the frames alone would tell them apart"
        page = np.asarray(Image.open(raw / "03.jpg"))
        small = cv2.resize(page, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
        write(raw / "copy small.jpg", encode(np.asarray(small), quality=85))
        write(raw / "copy.jpg", encode(page, quality=60, subsampling=2))
        config = CurateConfig(workers=1, blur_screen=False)
        curate_photos(raw, tmp_path / "c", config, make_detector=OnThePage(corner, shape))
        left_out = {
            photo.path for photo in read_photos(tmp_path / "c") if photo.verdict == "duplicate"
        }
        copies = {"03.jpg", "copy.jpg", "copy small.jpg"}
        assert len(left_out & copies) == 2
        assert left_out < copies


@dataclasses.dataclass(frozen=True)
class OnThePage:
    """Finds the head where the page has it."""

    corner: tuple[int, int]
    shape: tuple[int, int]
    name: str = "on the page"
    side: int = 640

    def __call__(self) -> "OnThePage":
        return self

    def find(self, photo: Photo) -> list[Square]:
        (top, left), scale = self.corner, photo.width / self.shape[1]
        square = Square(cx=left + 240, cy=top + 180, side=170, score=1.0)
        return [square.scaled(scale)]


def test_of_one_photo_in_two_sizes_the_larger_stays(tmp_path: Path) -> None:
    """What was scaled down is the sharper at 64 x 64; in the larger there is more to see."""
    photo = softened(draw_photo(500, 375, Head(cx=240, cy=190, w=150), seed=4), 0.8)
    small = np.asarray(Image.fromarray(photo).resize((320, 240), Image.Resampling.LANCZOS))
    write(tmp_path / "raw" / "a small.png", encode(small, "PNG"))
    write(tmp_path / "raw" / "large.png", encode(photo, "PNG"))
    curate_photos(
        tmp_path / "raw", tmp_path / "c", CurateConfig(workers=1), make_detector=EyeDetector()
    )
    found = {one.path: one for one in read_photos(tmp_path / "c")}
    assert found["large.png"].verdict == "kept"
    assert found["a small.png"].verdict == "duplicate"

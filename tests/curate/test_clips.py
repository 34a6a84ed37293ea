"""Videos, drawn and encoded here: which frames are used, upright, in sRGB, and held out as one."""

import dataclasses
import json
import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from catgan.core.errors import UnreadablePhoto
from catgan.core.files import sha256
from catgan.core.loading import load_picture
from catgan.core.pictures import Picture
from catgan.curate import clip as clip_module
from catgan.curate.clip import HLG, PQ, Clip, Still, tone_map
from catgan.curate.config import CurateConfig
from catgan.curate.find import PhotoFile, find_photos
from catgan.curate.finding import frame_path, photo_stem
from catgan.curate.footage import examine_clip
from catgan.curate.pipeline import CurateProgress, CurateResult, curate_photos, plan_curation
from catgan.curate.unused import Unused
from catgan.formats.datasets import FACE_CROP, FULL_BODY, find_datasets, groups_of, held_out
from catgan.formats.decisions import Decision, append_decisions
from catgan.formats.photos import find_photo, read_photos
from tests.core.test_photos import quarters
from tests.curate.test_screens import softened
from tests.drawing import EyeDetector, Head, draw_photo, encode, eyes, tree, write

av = pytest.importorskip("av", reason="needs the extra: pip install 'catgan[video]'")

HERE = CurateConfig(workers=1, blur_screen=False)


def film(
    path: Path,
    frames: Sequence[NDArray[Any]],
    *,
    times: Sequence[float] | None = None,
    codec: str = "ffv1",
    pixels: str = "yuv444p",
    rotation: int = 0,
    prepare: Callable[[Any], None] | None = None,
    key_every: int = 12,
) -> Path:
    """Encode frames, 10 a second or at the times given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixels
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.codec_context.gop_size = key_every
        if codec != "ffv1":
            stream.codec_context.bit_rate = 8_000_000
        if rotation:
            stream.set_display_rotation(rotation)
        if prepare is not None:
            prepare(stream)
        for index, picture in enumerate(frames):
            deep = picture.dtype == np.uint16
            frame = av.VideoFrame.from_ndarray(picture, format="rgb48le" if deep else "rgb24")
            frame = frame.reformat(format=pixels, dst_colorspace=5)
            frame.pts = round(1000 * (times[index] if times else index / 10))
            frame.time_base = Fraction(1, 1000)
            if prepare is not None:
                frame.color_trc = stream.codec_context.color_trc
                frame.color_primaries = stream.codec_context.color_primaries
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def stills(path: Path) -> list[Still]:
    with Clip(path) as clip:
        return list(clip.stills())


def curate(raw: Path, curated: Path, config: CurateConfig = HERE) -> CurateResult:
    return curate_photos(raw, curated, config, make_detector=EyeDetector())


def walk(count: int, *, seed: int = 0) -> list[Picture]:
    """A head that nods and comes nearer, before a ground that stays."""
    return [
        draw_photo(
            240,
            200,
            Head(cx=90 + 1.5 * index, cy=100, w=70 + index, roll=40 * np.sin(index / 3)),
            seed=seed,
        )
        for index in range(count)
    ]


class TestStills:
    def test_of_each_half_second_the_sharpest(self, tmp_path: Path) -> None:
        sharp = draw_photo(160, 120, Head(cx=80, cy=60, w=60))
        soft = softened(sharp, 3)
        frames = [sharp if index in (2, 8, 14) else soft for index in range(15)]
        found = stills(film(tmp_path / "a.mkv", frames))
        assert [still.seconds for still in found] == pytest.approx([0.2, 0.8, 1.4])
        for still in found:
            # luma and chroma are rounded on the way
            assert np.abs(still.pixels.astype(int) - sharp).max() <= 4

    def test_by_the_clock_whatever_the_rate(self, tmp_path: Path) -> None:
        """Frames come as the light allows: many at once, then none for a second and a half."""
        times = [0.0, 0.01, 0.02, 0.03, 0.45, 2.1, 2.2, 2.3, 4.9]
        frames = walk(len(times))
        found = stills(film(tmp_path / "a.mkv", frames, times=times))
        halves = [int(still.seconds // 0.5) for still in found]
        assert halves == [0, 4, 9]

    @pytest.mark.parametrize("rotation", [0, 90, 180, -90])
    @pytest.mark.parametrize("suffix", ["mov", "mp4"])
    def test_upright_by_its_matrix(self, tmp_path: Path, rotation: int, suffix: str) -> None:
        upright = quarters(96, 64)
        stored = np.ascontiguousarray(np.rot90(upright, -rotation // 90))
        path = film(
            tmp_path / f"a.{suffix}", [stored] * 3, codec="mpeg4", pixels="yuv420p",
            rotation=rotation,
        )  # fmt: skip
        (still,) = stills(path)
        assert (still.width, still.height) == (96, 64)
        gap = np.abs(still.pixels.astype(int) - upright)[8:-8:16, 8:-8:16]
        assert gap.max() <= 16, "in the middle of the quarters, lossy as it is"

    def test_cut_off_it_ends_there(self, tmp_path: Path) -> None:
        path = film(tmp_path / "a.mkv", walk(60))
        whole = len(stills(path))
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 6 // 10])
        assert whole // 2 <= len(stills(path)) < whole

    @pytest.mark.parametrize("cut", [0.0, 0.5])
    def test_without_its_index_it_is_refused(self, tmp_path: Path, cut: float) -> None:
        """An MP4 has it at the end."""
        path = film(tmp_path / "a.mp4", walk(10), codec="mpeg4", pixels="yuv420p")
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
        with pytest.raises(UnreadablePhoto, match="cannot be read"):
            stills(path)

    def test_sound_alone_is_refused(self, tmp_path: Path) -> None:
        with av.open(str(tmp_path / "a.mkv"), "w") as container:
            stream = container.add_stream("pcm_s16le", rate=8000)
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), layout="mono")
            frame.sample_rate = 8000
            for packet in [*stream.encode(frame), *stream.encode()]:
                container.mux(packet)
        with pytest.raises(UnreadablePhoto, match="no picture"):
            stills(tmp_path / "a.mkv")

    def test_of_a_long_one_keyframes_and_what_follows(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clip_module, "MOST_KEYFRAMES", 6)
        monkeypatch.setattr(clip_module, "STRETCH", 2.0)
        path = film(tmp_path / "a.mp4", walk(120), codec="mpeg4", pixels="yuv420p", key_every=10)
        with Clip(path) as clip:
            assert clip.seconds == pytest.approx(12, abs=0.2)
            keys = [still.seconds for still in clip.keyframes()]
            assert keys == pytest.approx([0, 2, 4, 6, 8, 10])
            around = [still.seconds for still in clip.around([4.0, 5.0, 8.0])]
        assert all(4 <= seconds < 6 or 8 <= seconds < 10 for seconds in around)
        assert len(around) == 8


def to_pq(nits: float) -> float:
    """BT.2100, table 4, the inverse."""
    y = (nits / 10_000) ** 0.1593017578125
    return float(((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375)


class TestToneMapping:
    @pytest.mark.parametrize(("nits", "level"), [(0, 0), (20.3, 89), (101.5, 188)])
    def test_what_is_darker_than_white_stays_as_it_is(self, nits: float, level: int) -> None:
        """A tenth and a half of reference white are 89 and 188 in sRGB."""
        deep = np.full((2, 2, 3), round(to_pq(nits) * 65535), np.uint16)
        assert np.abs(tone_map(deep, PQ, wide=True).astype(int) - level).max() <= 1

    @pytest.mark.parametrize("transfer", [PQ, HLG])
    def test_brighter_is_brighter_and_nothing_clips(self, transfer: int) -> None:
        ramp = np.linspace(0, 52_000, 64).astype(np.uint16)
        deep = np.repeat(ramp[None, :, None], 3, axis=2)
        levels = tone_map(deep, transfer, wide=True)[0, :, 1].astype(int)
        assert (np.diff(levels) >= 0).all()
        assert levels[0] == 0
        assert 235 < levels[-1] <= 255

    def test_hlg_white_is_white_like(self) -> None:
        """75% of the signal is its reference white."""
        deep = np.full((2, 2, 3), round(0.75 * 65535), np.uint16)
        assert 225 < tone_map(deep, HLG, wide=True)[0, 0, 0] < 250

    @pytest.mark.parametrize("transfer", [PQ, HLG])
    def test_ten_bits_are_not_washed_out(self, tmp_path: Path, transfer: int) -> None:
        def mark(stream: Any) -> None:
            stream.codec_context.color_trc = transfer
            stream.codec_context.color_primaries = 9

        deep = np.full((64, 96, 3), round(to_pq(20.3) * 65535), np.uint16)
        path = film(tmp_path / "a.mkv", [deep] * 2, pixels="yuv444p10le", prepare=mark)
        (still,) = stills(path)
        expected = tone_map(deep, transfer, wide=True)[0, 0].astype(int)
        assert np.abs(still.pixels.astype(int) - expected).max() <= 3, "10 bits are rounded"


class TestNames:
    def test_of_frames_and_their_pictures(self) -> None:
        assert frame_path("a/clip.mov", 12.5) == "a/clip.mov@12.5s"
        assert photo_stem("a/clip.mov@12.5s") == "clip_12.5s"
        assert photo_stem("a/clip.v2.jpg") == "clip.v2"
        assert photo_stem("a/me@home.jpg") == "me@home"


class TestCurate:
    def test_its_frames_are_photos(self, tmp_path: Path) -> None:
        path = film(tmp_path / "raw" / "2024" / "clip.mkv", walk(40))
        write(tmp_path / "raw" / "a.jpg", encode(draw_photo(240, 200, seed=7)))
        result = curate(tmp_path / "raw", tmp_path / "c")
        rows = [one for one in read_photos(tmp_path / "c") if one.clip]
        assert len(rows) >= 2
        assert (result.photos, result.frames, result.fresh) == (2, len(rows), 2)
        digest = sha256(path.read_bytes())
        for row in rows:
            assert row.path.startswith("2024/clip.mkv@")
            assert (row.clip, row.frames, row.sha256) == ("2024/clip.mkv", len(rows), digest)
            assert (row.width, row.height, row.verdict) == (240, 200, "kept")
            assert (tmp_path / "c" / row.outputs[FACE_CROP]).is_file()
        assert len({row.faces[0].fingerprint for row in rows}) == len(rows)
        assert {find_photo(tmp_path / "raw", row) for row in rows} == {path}

    def test_again_nothing_is_looked_at(self, tmp_path: Path) -> None:
        path = film(tmp_path / "raw" / "clip.mkv", walk(40))
        curate(tmp_path / "raw", tmp_path / "c")
        before = tree(tmp_path / "c")
        assert plan_curation(tmp_path / "raw", tmp_path / "new", HERE).fresh == 1
        assert curate(tmp_path / "raw", tmp_path / "c").fresh == 0
        assert tree(tmp_path / "c") == before
        assert curate(tmp_path / "raw", tmp_path / "two").counts["kept"] > 1
        path.unlink()
        film(path, walk(40, seed=3))
        assert curate(tmp_path / "raw", tmp_path / "c").fresh == 1
        curate(tmp_path / "raw", tmp_path / "as new")
        assert tree(tmp_path / "c") == tree(tmp_path / "as new")

    def test_a_long_one_is_looked_at_where_a_face_is(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A head from the fourth second to the seventh of twelve."""
        monkeypatch.setattr("catgan.curate.footage.SHORT", 5.0)
        monkeypatch.setattr(clip_module, "MOST_KEYFRAMES", 6)
        monkeypatch.setattr(clip_module, "STRETCH", 2.0)
        empty, heads = draw_photo(240, 200, seed=0), walk(30)
        frames = [heads[i - 40] if 40 <= i < 70 else empty for i in range(120)]
        film(tmp_path / "raw" / "clip.mp4", frames, codec="mpeg4", pixels="yuv420p", key_every=10)
        curate(tmp_path / "raw", tmp_path / "c")
        rows = read_photos(tmp_path / "c")
        assert rows
        for row in rows:
            assert 4.0 <= float(row.path.split("@")[1][:-1]) < 7.0
            assert row.verdict == "kept"

    @pytest.mark.parametrize("workers", [1, 2])
    def test_progress_counts_frames(self, tmp_path: Path, workers: int) -> None:
        film(tmp_path / "raw" / "clip.mkv", walk(20))
        told: list[CurateProgress] = []
        config = CurateConfig(workers=workers, blur_screen=False)
        curate_photos(
            tmp_path / "raw", tmp_path / "c", config, make_detector=EyeDetector(),
            progress=told.append,
        )  # fmt: skip
        assert told[0].frames == 0
        assert (told[-1].frames, told[-1].done) == (4, 1), "two seconds, twice a second"

    def test_a_copied_or_moved_one_is_the_same(self, tmp_path: Path) -> None:
        path = film(tmp_path / "raw" / "a" / "clip.mkv", walk(30))
        curate(tmp_path / "raw", tmp_path / "c")
        os.utime(path, ns=(5, 5))
        assert curate(tmp_path / "raw", tmp_path / "c").fresh == 0
        path.parent.rename(tmp_path / "raw" / "b")
        result = curate(tmp_path / "raw", tmp_path / "c")
        assert (result.fresh, result.gone) == (0, 0)
        curate(tmp_path / "raw", tmp_path / "as new")
        assert tree(tmp_path / "c") == tree(tmp_path / "as new")

    def test_no_more_frames_than_asked_for(self, tmp_path: Path) -> None:
        film(tmp_path / "raw" / "clip.mkv", walk(40))
        for most in (1, 2):
            config = CurateConfig(workers=1, clip_frames=most)
            assert curate(tmp_path / "raw", tmp_path / str(most), config).frames == most

    def test_a_still_life_is_one_photo(self, tmp_path: Path) -> None:
        frame = draw_photo(240, 200, Head(cx=110, cy=100, w=90), seed=1)
        film(tmp_path / "raw" / "clip.mkv", [frame] * 30)
        film(tmp_path / "raw" / "empty.mkv", [draw_photo(240, 200, seed=9)] * 30)
        result = curate(tmp_path / "raw", tmp_path / "c")
        assert (result.counts["kept"], result.counts["no-face"]) == (1, 1)

    def test_one_that_is_broken_gets_its_verdict(self, tmp_path: Path) -> None:
        write(tmp_path / "raw" / "clip.mov", b"\0\0\0\x14ftypqt  " + bytes(400))
        write(tmp_path / "raw" / "a.jpg", encode(draw_photo(240, 200, seed=7)))
        curate(tmp_path / "raw", tmp_path / "c")
        found = {one.path: one for one in read_photos(tmp_path / "c")}
        assert found["clip.mov"].verdict == "unreadable"
        assert "video cannot be read" in found["clip.mov"].reason
        assert curate(tmp_path / "raw", tmp_path / "c").fresh == 0

    def test_two_processes_write_what_one_writes(self, tmp_path: Path) -> None:
        film(tmp_path / "raw" / "clip.mkv", walk(12))
        write(tmp_path / "raw" / "a.jpg", encode(draw_photo(240, 200, seed=7)))
        curate(tmp_path / "raw", tmp_path / "1")
        curate(tmp_path / "raw", tmp_path / "2", CurateConfig(workers=2, blur_screen=False))
        assert tree(tmp_path / "1") == tree(tmp_path / "2")

    def test_the_crop_is_level(self, tmp_path: Path) -> None:
        frame = draw_photo(240, 200, Head(cx=110, cy=100, w=90, roll=25), seed=1)
        film(tmp_path / "raw" / "clip.mkv", [frame] * 3)
        curate(tmp_path / "raw", tmp_path / "c")
        (path,) = (tmp_path / "c" / FACE_CROP).rglob("*.png")
        from PIL import Image

        (left, *_), (right, *_) = eyes(np.asarray(Image.open(path)))
        assert abs(left[1] - right[1]) < 1


class TestNotReadJustNow:
    def test_what_is_known_of_a_video_stays_where_the_package_is_gone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its frames are neither gone nor looked at again; they go where nobody wants videos."""
        raw, curated = tmp_path / "raw", tmp_path / "curated"
        film(raw / "clip.mkv", walk(40))
        write(raw / "still.png", encode(walk(1, seed=5)[0], "PNG"))
        first = curate(raw, curated)
        assert first.frames > 1
        assert first.photos == 2
        before = tree(curated)
        with monkeypatch.context() as without:
            without.setattr("catgan.curate.pipeline.can_read_clips", lambda: False)
            again = curate(raw, curated)
        assert (again.gone, again.fresh, again.frames) == (0, 0, first.frames)
        assert again.unused[Unused.VIDEO] == 1
        assert tree(curated) == before
        unwanted = curate(raw, curated, dataclasses.replace(HERE, clip_frames=0))
        assert unwanted.frames == 0

    @pytest.mark.parametrize("seed", range(40))
    def test_spoiled_bytes_are_a_verdict(self, tmp_path: Path, seed: int) -> None:
        """Wherever they lie: of the 40 some make the codec unknown, and some change nothing."""
        path = tmp_path / "raw" / "clip.mkv"
        film(path, walk(3))
        dice = np.random.default_rng(seed)
        data = bytearray(path.read_bytes())
        head = min(len(data), 600 if seed % 2 else len(data))  # the tables lie in front
        for place in dice.integers(4, head, 6):
            data[place] = dice.integers(256)
        path.write_bytes(bytes(data))
        for finding, _ in examine_clip(clip_of(tmp_path / "raw"), EyeDetector(), HERE):
            assert finding.readable or finding.why_not


def clip_of(raw: Path) -> PhotoFile:
    (found,) = find_photos(raw, clips=True).clips
    return found


class TestLeftAlone:
    def test_the_video_of_a_live_photo(self, tmp_path: Path) -> None:
        write(tmp_path / "IMG_1.HEIC", b"broken")
        film(tmp_path / "img_1.MOV", walk(3), codec="mpeg4", pixels="yuv420p")
        film(tmp_path / "IMG_2.mov", walk(3), codec="mpeg4", pixels="yuv420p")
        found = find_photos(tmp_path, clips=True)
        assert [clip.name for clip in found.clips] == ["IMG_2.mov"]
        assert found.unused == {Unused.LIVE_PHOTO: 1}

    def test_all_of_them_without_the_package_or_where_none_is_wanted(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        film(tmp_path / "raw" / "clip.mkv", walk(12))
        write(tmp_path / "raw" / "a.jpg", encode(draw_photo(240, 200, seed=7)))
        none = CurateConfig(workers=1, clip_frames=0)
        assert curate(tmp_path / "raw", tmp_path / "c", none).unused == {Unused.VIDEO: 1}
        monkeypatch.setattr("catgan.curate.pipeline.can_read_clips", lambda: False)
        result = curate(tmp_path / "raw", tmp_path / "d")
        assert (result.photos, result.unused) == (1, {Unused.VIDEO: 1})


class TestHeldOutAsOne:
    def test_a_clip(self, tmp_path: Path) -> None:
        for seed in range(3):
            film(tmp_path / "raw" / f"clip{seed}.mkv", walk(40, seed=seed))
        for seed in range(8):
            photo = draw_photo(200, 160, Head(cx=80 + 9 * seed, cy=80, w=50 + 4 * seed), seed=seed)
            write(tmp_path / "raw" / f"{seed}.png", encode(photo, "PNG"))
        curate(tmp_path / "raw", tmp_path / "c")
        for dataset in find_datasets(tmp_path / "c"):
            groups = groups_of(dataset)
            assert len(set(groups.values())) == 3
            for count in range(len(dataset.files)):
                train, out = held_out(dataset.files, count, groups)
                assert len(out) <= count
                assert sorted([*train, *out]) == sorted(dataset.files)
                assert not {groups.get(name, name) for name in train} & {
                    groups.get(name, name) for name in out
                }

    def test_a_burst_that_is_kept_whole(self, tmp_path: Path) -> None:
        photo = draw_photo(320, 240, Head(cx=150, cy=120, w=100), seed=1)
        for index in range(3):
            frame = np.ascontiguousarray(photo[index:, index:])
            write(tmp_path / "raw" / f"{index}.png", encode(frame, "PNG"))
        other = draw_photo(320, 240, Head(cx=200, cy=90, w=60), seed=4)
        write(tmp_path / "raw" / "other.png", encode(other, "PNG"))
        whole = CurateConfig(workers=1, blur_screen=False, duplicate_screen=False)
        curate(tmp_path / "raw", tmp_path / "c", whole)
        (full, faces) = find_datasets(tmp_path / "c")
        assert (full.name, faces.name) == (FULL_BODY, FACE_CROP)
        for dataset in (full, faces):
            assert len(groups_of(dataset)) == 3
            assert len(set(groups_of(dataset).values())) == 1
        assert groups_of(full) == groups_of(faces)
        curate(tmp_path / "raw", tmp_path / "d")
        assert not groups_of(find_datasets(tmp_path / "d")[0])
        lines = (tmp_path / "c" / FULL_BODY / "train" / "metadata.jsonl").read_text().splitlines()
        assert sum("group" in json.loads(line) for line in lines) == 3


class TestDecisions:
    def test_about_a_frame(self, tmp_path: Path) -> None:
        """One frame rejected, another's square drawn, from the very frame that was found."""
        raw, curated_folder = tmp_path / "raw", tmp_path / "curated"
        film(raw / "a.mkv", walk(60))
        curate(raw, curated_folder)
        first, second, *_ = [one for one in read_photos(curated_folder) if one.verdict == "kept"]
        digest, box = first.sha256, second.faces[0].box
        moments = [float(one.path.split("@")[1][:-1]) for one in (first, second)]
        one = Decision(
            sha256=digest, seconds=moments[0], box=first.faces[0].box, decision="rejected",
            decided="2026-11-27T14:05:09Z",
        )  # fmt: skip
        # the same square, as if drawn: the crop must not change by more than its rounding
        drawn = dataclasses.replace(
            one, seconds=moments[1], box=box, roll=second.faces[0].roll, decision="kept",
            square=(box[0] + 0.1, *box[1:]), square_roll=second.faces[0].roll,
        )  # fmt: skip
        name = curated_folder / second.outputs[FACE_CROP]
        before = load_picture(name).pixels.astype(int)
        append_decisions(curated_folder / "decisions.jsonl", [one, drawn])
        result = curate(raw, curated_folder)
        assert (result.decisions.rejected, result.decisions.drawn) == (1, 1)
        assert result.fresh == 0
        after = load_picture(name).pixels.astype(int)
        assert 0 < np.abs(after - before).mean() < 3
        verdicts = {one.path: one.verdict for one in read_photos(curated_folder)}
        assert verdicts[first.path] == "rejected"
        assert verdicts[second.path] == "kept"

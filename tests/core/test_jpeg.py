"""JPEGs as cameras, cards and rescue tools leave them: all pixels there, or refused, saying why."""

import io
import random
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from catgan.core import jpeg
from catgan.core.errors import UnreadablePhoto
from catgan.core.photos import read_photo
from catgan.core.pictures import Picture
from tests.core.test_photos import JPEGS, busy
from tests.drawing import encode

END = b"\xff\xd9"


class TestEndMarker:
    @pytest.mark.parametrize("name", JPEGS)
    @pytest.mark.parametrize("side", [None, 40])
    @pytest.mark.parametrize("tail", [b"", b"\xff", bytes(4096), b"\xff" * 4096])
    def test_the_same_pixels_without_it(self, name: str, side: int | None, tail: bytes) -> None:
        data = JPEGS[name]
        whole = read_photo(data, side=side).pixels
        assert np.array_equal(read_photo(data[:-2] + tail, side=side).pixels, whole)

    @pytest.mark.parametrize("name", JPEGS)
    @pytest.mark.parametrize("missing", [3, 10, 60])
    @pytest.mark.parametrize("mended", [b"", END])
    def test_a_missing_pixel_is_a_missing_pixel(
        self, name: str, missing: int, mended: bytes
    ) -> None:
        with pytest.raises(UnreadablePhoto):
            read_photo(JPEGS[name][:-missing] + mended)

    def test_a_progressive_picture_without_its_last_passes(self) -> None:
        """No decoder misses anything: all blocks are there, only coarse."""
        data = JPEGS["progressive"]
        ends = [scan.end for scan in jpeg.lay_out(data).scans]
        assert len(ends) > 3
        for end in ends[:-1]:
            with pytest.raises(UnreadablePhoto, match="cut short"):
                read_photo(data[:end])

    def test_one_colour_a_scan(self) -> None:
        """Without interleaving a picture is whole once each colour has been."""
        layout = jpeg.lay_out(JPEGS["baseline"])
        assert (layout.complete, layout.ended) == (True, True)
        assert jpeg.lay_out(JPEGS["baseline"][:-2]).ended is False


def detailed(seed: int, noise: int) -> Picture:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(small).resize((512, 384), Image.Resampling.BICUBIC))
    grain = rng.normal(0, noise, smooth.shape)
    return np.asarray((smooth + grain).clip(0, 255).round(), dtype=np.uint8)


class TestHoles:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"optimize": True},
            {"progressive": True},
            {"restart_marker_rows": 2},
            {"subsampling": 2},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("size", [512, 4096])
    def test_zeros_in_the_data_are_refused(
        self, options: dict[str, Any], size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """60 holes: refused, or nobody sees it (lowest bits of a progressive picture; 1 in 480)."""
        monkeypatch.setattr(ImageFile, "MAXBLOCK", 1 << 22)  # Pillow's encoder wants one buffer
        rng = random.Random(size)
        for seed in range(12):
            data = encode(detailed(seed, 2 + 2 * seed), quality=80 + seed, **options)
            scan = max(jpeg.lay_out(data).scans, key=lambda scan: scan.end - scan.start)
            for _ in range(5):
                place = rng.randrange(scan.start + 50, max(scan.start + 51, scan.end - size - 50))
                holed = data[:place] + bytes(size) + data[place + size :]
                try:
                    seen = read_photo(holed).pixels
                except UnreadablePhoto as error:
                    assert "broken" in str(error) or "cut short" in str(error)
                else:
                    whole = read_photo(data).pixels.astype(int)
                    assert abs(seen - whole).mean() < 1

    @pytest.mark.parametrize("colour", [0, 77, 255])
    def test_true_runs_of_zeros_are_none(self, colour: int) -> None:
        """A picture with even parts and tables made for it: its data are zeros, and it is whole."""
        picture = np.full((2048, 2048, 3), colour, np.uint8)
        picture[:200, :200] = detailed(1, 10)[:200, :200]
        picture[-50:, -50:] = detailed(2, 10)[:50, :50]
        data = encode(picture, optimize=True)
        (scan,) = jpeg.lay_out(data).scans
        longest = max(map(len, data[scan.start : scan.end].split(b"\xff")), default=0)
        assert longest > 1000
        assert bytes(512) in data, "or this tries nothing"
        seen = read_photo(data).pixels.astype(int)
        assert abs(seen[300:1900, 300:1900] - colour).max() <= 2

    def test_spare_bytes_that_cameras_write(self) -> None:
        data = JPEGS["baseline"]
        for spare in (b"\x5a", b"\x5a\x13", bytes(300)):
            assert np.array_equal(
                read_photo(data[:-2] + spare + END).pixels, read_photo(data).pixels
            )
        with pytest.raises(UnreadablePhoto, match="spoiled"):
            read_photo(data[:-2] + b"\x5a\x13\x77" * 20 + END)


class TestOddSampling:
    """Chroma sampled as TurboJPEG does not know it: Pillow decodes it, and nothing is warned of."""

    @staticmethod
    def odd() -> bytes:
        data = bytearray(encode(busy(), subsampling="4:2:0"))
        frame = data.index(b"\xff\xc0")
        sampling = [frame + 11 + 3 * part for part in range(3)]
        assert [data[place] for place in sampling] == [0x22, 0x11, 0x11]
        return bytes(data)

    def test_read_all_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise ValueError("tjDecompressHeader3(): Could not determine subsampling level")

        data = self.odd()
        whole = read_photo(data).pixels
        monkeypatch.setattr(jpeg, "decode_jpeg", refuse)
        assert np.array_equal(read_photo(data).pixels, whole)
        assert np.array_equal(read_photo(data[:-2]).pixels, whole)
        for part in (0.5, 0.7, 0.9):
            with pytest.raises(UnreadablePhoto):
                read_photo(data[: int(len(data) * part)].rstrip(b"\xff") + END)


class TestBounds:
    def test_thousands_of_scans(self) -> None:
        """Each is a pass over all pixels; a few bytes of data say that nothing changes."""
        data = JPEGS["progressive"]
        layout = jpeg.lay_out(data)
        head = data.rindex(b"\xff\xda", 0, layout.scans[-1].start)
        bomb = data[:-2] + data[head : layout.scans[-1].end] * 20_000 + END
        start = time.monotonic()
        with pytest.raises(UnreadablePhoto, match="more than 100 passes"):
            read_photo(bomb)
        assert time.monotonic() - start < 20, "or it hangs; it takes a few milliseconds"

    def test_a_file_full_of_nothing(self) -> None:
        for data in (b"\xff" * 50_000_000, b"\xff\xd8" + bytes(50_000_000)):
            with pytest.raises(UnreadablePhoto):
                read_photo(data)

    def test_a_file_full_of_remarks(self) -> None:
        data = JPEGS["baseline"]
        remarks = b"\xff\xfe\0\2" * 1_000_000
        with pytest.raises(UnreadablePhoto, match="segments"):
            read_photo(data[:2] + remarks + data[2:])

    def test_a_plain_text_picture(self) -> None:
        with pytest.raises(UnreadablePhoto, match="not a picture"):
            read_photo(b"P3\n4000 6000\n255\n" + b"1 2 3\n" * 1000)

    def test_cmyk_is_checked_too(self) -> None:
        buffer = io.BytesIO()
        Image.fromarray(detailed(0, 20)).convert("CMYK").save(buffer, "JPEG", quality=95)
        data = buffer.getvalue()
        read_photo(data)
        with pytest.raises(UnreadablePhoto):
            read_photo(data[:-200] + END)
        middle = len(data) // 2
        with pytest.raises(UnreadablePhoto):
            read_photo(data[:middle] + bytes(512) + data[middle + 512 :])

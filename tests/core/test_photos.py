"""Reading photos: upright, in true colours, whole or not at all."""

import io
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from catgan.core.colours import to_srgb
from catgan.core.errors import UnequalSizes, UnreadablePhoto
from catgan.core.kinds import looks_like_picture
from catgan.core.loading import load_pictures
from catgan.core.photos import NEUTRAL, Photo, read_photo
from catgan.core.pictures import Picture, encode_jpeg, encode_png, resize_shorter_side, sheet
from tests.drawing import Head, draw_photo, encode, encode_turned, png_header

# Quality 95 without chroma subsampling moves smooth drawn colours by a few levels at most.
JPEG_LEVELS = 12


def quarters(width: int = 48, height: int = 32) -> Picture:
    """Four colours, one a quarter: no turn or mirroring leaves it as it is."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = (200, 40, 40)
    picture[: height // 2, width // 2 :] = (40, 200, 40)
    picture[height // 2 :, : width // 2] = (40, 40, 200)
    picture[height // 2 :, width // 2 :] = (220, 220, 220)
    return picture


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def save(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


class TestUpright:
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize(
        ("kind", "levels"), [("JPEG", JPEG_LEVELS), ("PNG", 0), ("WEBP", 0), ("TIFF", 0)]
    )
    def test_every_exif_orientation(self, kind: str, levels: int, orientation: int) -> None:
        upright = quarters()
        options = {"lossless": True} if kind == "WEBP" else {}
        photo = read_photo(encode_turned(upright, orientation, kind, **options))
        assert (photo.width, photo.height) == (48, 32)
        assert distance(photo.pixels, upright) <= levels
        assert photo.scale == 1

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_reduced_is_upright_too(self, orientation: int) -> None:
        upright = quarters(480, 320)
        photo = read_photo(encode_turned(upright, orientation), side=120)
        assert (photo.width, photo.height) == (480, 320)
        assert photo.pixels.shape == (80, 120, 3)
        assert photo.scale == 1 / 4
        assert distance(photo.pixels[10:-10:20, 10:-10:20], upright[40:-40:80, 40:-40:80]) <= 12

    def test_tiff_compressed(self) -> None:
        photo = read_photo(encode_turned(quarters(), 6, "TIFF", compression="tiff_lzw"))
        assert (photo.width, photo.height) == (48, 32)
        assert np.array_equal(photo.pixels, quarters())

    @pytest.mark.parametrize(
        "exif",
        [
            b"Exif\0\0rubbish from top to bottom",
            b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(range(40)),  # 65,535 entries, none there
            b"Exif\0\0MM\0*\xff\xff\xff\xff",  # a directory past the end
        ],
    )
    def test_a_broken_exif_block_turns_nothing(self, exif: bytes) -> None:
        photo = read_photo(encode(quarters(), exif=exif))
        assert distance(photo.pixels, quarters()) <= JPEG_LEVELS

    @pytest.mark.parametrize("orientation", [0, 9, 65535])
    def test_an_orientation_that_is_none_turns_nothing(self, orientation: int) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        photo = read_photo(encode(quarters(), exif=exif))
        assert distance(photo.pixels, quarters()) <= JPEG_LEVELS


class TestKinds:
    @pytest.mark.parametrize(
        ("kind", "options", "levels"),
        [
            ("JPEG", {"progressive": True}, JPEG_LEVELS),
            ("PNG", {}, 0),
            ("WEBP", {"lossless": True}, 0),
            ("TIFF", {}, 0),
            ("TIFF", {"compression": "tiff_lzw"}, 0),
            ("BMP", {}, 0),
            ("GIF", {}, 0),  # four colours fit its palette
            ("PPM", {}, 0),
        ],
    )
    def test_colours_come_back(self, kind: str, options: dict[str, Any], levels: int) -> None:
        data = encode(quarters(), kind, **options)
        photo = read_photo(data)
        assert distance(photo.pixels, quarters()) <= levels
        assert photo.pixels.dtype == np.uint8
        assert photo.profile is None
        if kind != "PPM":  # for data sets of one's own; nobody photographs in it
            assert looks_like_picture(data[:64])

    def test_gif_first_frame(self) -> None:
        frames = [Image.fromarray(quarters()), Image.new("RGB", (48, 32), (10, 10, 10))]
        data = save(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50)
        assert np.array_equal(read_photo(data).pixels, quarters())

    def test_grey(self) -> None:
        ramp = np.tile(np.arange(256, dtype=np.uint8), (4, 1))
        photo = read_photo(encode(ramp, "PNG"))
        assert np.array_equal(photo.pixels, np.repeat(ramp[..., None], 3, axis=2))

    @pytest.mark.parametrize("kind", ["PNG", "TIFF"])
    def test_sixteen_bit_grey_keeps_its_upper_byte(self, kind: str) -> None:
        ramp = np.arange(0, 65536, 64, dtype=np.uint16).reshape(16, 64)
        photo = read_photo(save(Image.fromarray(ramp), kind))
        assert np.array_equal(photo.pixels[..., 0], ramp >> 8)
        assert np.array_equal(photo.pixels[..., 0], photo.pixels[..., 2])

    def test_float_grey(self) -> None:
        ramp = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
        photo = read_photo(save(Image.fromarray(ramp), "TIFF"))
        assert distance(photo.pixels[..., 1], (ramp * 255).astype(np.uint8)) <= 1

    def test_one_bit(self) -> None:
        bits = np.indices((8, 8)).sum(axis=0) % 2 == 0
        photo = read_photo(save(Image.fromarray(bits), "PNG"))
        assert np.array_equal(photo.pixels[..., 0], np.where(bits, 255, 0))

    @pytest.mark.parametrize(
        ("ink", "colour"),
        [
            ((0, 0, 0, 0), (255, 255, 255)),
            ((255, 0, 0, 0), (0, 255, 255)),
            ((0, 255, 0, 0), (255, 0, 255)),
            ((0, 0, 255, 0), (255, 255, 0)),
            ((0, 0, 0, 255), (0, 0, 0)),
        ],
    )
    def test_cmyk(self, ink: tuple[int, ...], colour: tuple[int, ...]) -> None:
        photo = read_photo(save(Image.new("CMYK", (16, 16), ink), "JPEG", quality=95))
        assert distance(photo.pixels, np.full((16, 16, 3), colour, np.uint8)) <= 3


class TestTransparency:
    """What cannot be seen lies on neutral grey, whatever colour it hides."""

    def test_rgba(self) -> None:
        picture = np.zeros((4, 3, 4), np.uint8)
        picture[:] = (250, 10, 10, 255)
        picture[:, 1, 3] = 0
        picture[:, 2, 3] = 128
        seen = read_photo(encode(picture, "PNG")).pixels
        assert tuple(seen[0, 0]) == (250, 10, 10)
        assert tuple(seen[0, 1]) == NEUTRAL
        half = np.array(NEUTRAL) * 127 / 255 + np.array((250, 10, 10)) * 128 / 255
        assert np.abs(seen[0, 2] - half).max() <= 1

    def test_palette(self) -> None:
        image = Image.new("P", (4, 4), 1)
        image.putpalette([255, 0, 255, 30, 60, 90])
        image.putpixel((0, 0), 0)
        seen = read_photo(save(image, "PNG", transparency=0)).pixels
        assert tuple(seen[0, 0]) == NEUTRAL
        assert tuple(seen[1, 1]) == (30, 60, 90)

    def test_gif(self) -> None:
        image = Image.new("P", (4, 4), 1)
        image.putpalette([255, 0, 255, 30, 60, 90])
        image.putpixel((0, 0), 0)
        seen = read_photo(save(image, "GIF", transparency=0)).pixels
        assert tuple(seen[0, 0]) == NEUTRAL
        assert tuple(seen[1, 1]) == (30, 60, 90)

    def test_one_colour_of_an_rgb_png(self) -> None:
        picture = np.full((4, 4, 3), (30, 60, 90), np.uint8)
        picture[0, 0] = (255, 0, 255)
        image = Image.fromarray(picture)
        seen = read_photo(save(image, "PNG", transparency=(255, 0, 255))).pixels
        assert tuple(seen[0, 0]) == NEUTRAL
        assert tuple(seen[1, 1]) == (30, 60, 90)

    def test_grey_with_alpha(self) -> None:
        picture = np.zeros((2, 2, 2), np.uint8)
        picture[0] = (200, 255)
        seen = read_photo(save(Image.fromarray(picture, "LA"), "PNG")).pixels
        assert tuple(seen[0, 0]) == (200, 200, 200)
        assert tuple(seen[1, 1]) == NEUTRAL


# Primaries adapted to D50, as ICC profiles hold them: rows are the XYZ of red, green and blue.
P3 = np.array(
    [(0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)]
)
SRGB = np.array(
    [(0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)]
)


def icc_profile(primaries: NDArray[np.float64], name: str) -> bytes:
    """An ICC profile (version 4, matrix and curves) with sRGB's tone curve."""

    def fixed(*values: float) -> bytes:
        return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))

    def text(words: str) -> bytes:
        encoded = words.encode("utf-16-be")
        head = struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(encoded), 28)
        return b"mluc\0\0\0\0" + head + encoded

    curve = b"para\0\0\0\0" + struct.pack(">HH", 3, 0)
    curve += fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    tags = {b"desc": text(name), b"cprt": text("none"), b"wtpt": b"XYZ \0\0\0\0"}
    tags[b"wtpt"] += fixed(0.9642, 1.0, 0.8249)
    for letter, primary in zip(b"rgb", primaries, strict=True):
        tags[bytes([letter]) + b"XYZ"] = b"XYZ \0\0\0\0" + fixed(*primary)
        tags[bytes([letter]) + b"TRC"] = curve
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, value in tags.items():
        table += tag + struct.pack(">II", start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    size = start + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"", 0x04000000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += fixed(0.9642, 1.0, 0.8249)
    return header.ljust(128, b"\0") + table + body


def p3_to_srgb(colour: tuple[int, int, int]) -> NDArray[np.float64]:
    """The same by hand: IEC 61966-2-1's curve and two matrices."""
    value = np.array(colour) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    out = np.clip(linear @ P3 @ np.linalg.inv(SRGB), 0, 1)
    curved = np.where(out <= 0.0031308, out * 12.92, 1.055 * out ** (1 / 2.4) - 0.055)
    return np.asarray(curved * 255)


class TestColours:
    @pytest.mark.parametrize(
        "colour", [(128, 128, 128), (200, 100, 50), (90, 140, 60), (60, 70, 160), (255, 0, 0)]
    )
    def test_display_p3(self, colour: tuple[int, int, int]) -> None:
        flat = np.full((8, 8, 3), colour, np.uint8)
        photo = read_photo(encode(flat, "PNG", icc_profile=icc_profile(P3, "Display P3")))
        assert photo.profile is not None
        assert np.array_equal(photo.pixels, flat), "converted only where asked for"
        converted = to_srgb(photo.pixels, photo.profile)
        # two roundings to eight bits, and black point compensation
        assert np.abs(converted[0, 0] - p3_to_srgb(colour)).max() <= 2
        assert (converted == converted[0, 0]).all()

    def test_p3_differs_at_all(self) -> None:
        assert np.abs(p3_to_srgb((200, 100, 50)) - (200, 100, 50)).max() > 8

    def test_srgb_is_left_alone(self) -> None:
        data = encode(quarters(), "PNG", icc_profile=icc_profile(SRGB, "sRGB IEC61966-2.1"))
        photo = read_photo(data)
        assert photo.profile is None

    def test_a_broken_profile_counts_for_nothing(self) -> None:
        photo = read_photo(encode(quarters(), "PNG", icc_profile=b"not a profile" * 20))
        assert photo.profile is None
        assert np.array_equal(to_srgb(photo.pixels, photo.profile), quarters())

    def test_alpha_keeps_its_profile(self) -> None:
        rgba = np.dstack([quarters(), np.full((32, 48), 255, np.uint8)])
        photo = read_photo(encode(rgba, "PNG", icc_profile=icc_profile(P3, "Display P3")))
        assert photo.profile is not None


def busy(width: int = 160, height: int = 120) -> Picture:
    """Noise on shapes: hardly two blocks compress alike."""
    noise = np.random.default_rng(5).integers(-40, 40, (height, width, 3))
    drawn = draw_photo(width, height, Head(cx=80, cy=60, w=60), seed=5)
    return (drawn + noise).clip(0, 255).astype(np.uint8)


def with_thumbnail(data: bytes) -> bytes:
    """A JPEG with a whole small JPEG, end marker and all, in a segment before its picture."""
    thumbnail = encode(draw_photo(32, 24))
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    return data[:2] + segment + data[2:]


def jpegs() -> Iterator[tuple[str, bytes]]:
    yield "baseline", encode(busy())
    yield "progressive", encode(busy(), progressive=True)
    yield "restarts", encode(busy(), restart_marker_rows=1)
    yield "thumbnail", with_thumbnail(encode(busy()))
    yield "progressive with thumbnail", with_thumbnail(encode(busy(), progressive=True))
    yield "grey", encode(busy()[..., 0])


JPEGS = dict(jpegs())


class TestWholeOrNotAtAll:
    @pytest.mark.parametrize("name", JPEGS)
    @pytest.mark.parametrize("side", [None, 40])
    def test_a_jpeg_cut_anywhere_is_refused(self, name: str, side: int | None) -> None:
        """Unless every pixel is there: of the last 12 bytes the end marker may be missing."""
        data = JPEGS[name]
        whole = read_photo(data, side=side).pixels
        rng = random.Random(name)
        cuts = {rng.randrange(len(data)) for _ in range(150)}
        cuts |= set(range(len(data) - 12, len(data)))  # the last blocks and half an end marker
        for cut in sorted(cuts):
            if cut >= len(data) - 2:
                assert np.array_equal(read_photo(data[:cut], side=side).pixels, whole)
            else:
                with pytest.raises(UnreadablePhoto):
                    read_photo(data[:cut], side=side)

    def test_the_reason_says_so(self) -> None:
        data = JPEGS["baseline"]
        with pytest.raises(UnreadablePhoto, match="cut short"):
            read_photo(data[: len(data) // 2])

    @pytest.mark.parametrize("name", ["baseline", "grey", "thumbnail"])
    @pytest.mark.parametrize("side", [None, 40])
    def test_an_end_marker_does_not_hide_what_is_missing(self, name: str, side: int | None) -> None:
        """A cut file that a rescue tool closed: libjpeg makes the rest grey without a word."""
        data = JPEGS[name]
        for part in (0.5, 0.7, 0.9):
            mended = data[: int(len(data) * part)].rstrip(b"\xff") + b"\xff\xd9"
            with pytest.raises(UnreadablePhoto):
                read_photo(mended, side=side)

    def test_a_hole_in_the_middle_is_refused(self) -> None:
        data = JPEGS["baseline"]
        with pytest.raises(UnreadablePhoto):
            read_photo(data[: len(data) // 2] + data[len(data) * 3 // 4 :])

    @pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
    def test_a_picture_that_is_grey_there_is_none_the_worse(self, options: dict[str, Any]) -> None:
        picture = busy()
        picture[60:] = 128
        assert distance(read_photo(encode(picture, **options)).pixels[70:], picture[70:]) <= 2

    @pytest.mark.parametrize(
        ("kind", "options"),
        [
            ("PNG", {}),
            ("WEBP", {}),
            ("WEBP", {"lossless": True}),
            ("TIFF", {}),
            ("TIFF", {"compression": "tiff_lzw"}),
            ("BMP", {}),
            ("GIF", {}),
        ],
    )
    def test_other_kinds_cut_anywhere(self, kind: str, options: dict[str, Any]) -> None:
        """Refused, or every pixel right: a PNG without its last chunk still has them all."""
        data = encode(busy(), kind, **options)
        whole = read_photo(data).pixels
        rng = random.Random(kind)
        refused = 0
        for cut in sorted(rng.randrange(len(data)) for _ in range(60)):
            try:
                assert np.array_equal(read_photo(data[:cut]).pixels, whole), cut
            except UnreadablePhoto:
                refused += 1
        assert refused >= 55

    @pytest.mark.parametrize(
        "tail",
        [
            bytes(1000),  # cards pad with zeros
            b"\xff\xda\xff\xda",  # a film's bytes may look like the start of a scan
            np.random.default_rng(1).bytes(300_000),
            b"\0\0\0\x18ftypmp42" + np.random.default_rng(2).bytes(5000) + b"\xff\xda\x00",
            b"\r\n--boundary--\r\n",
            encode(draw_photo(64, 64))[:-300],  # a second picture, itself cut short
        ],
        ids=["zeros", "scan", "noise", "film", "mail", "second"],
    )
    def test_what_follows_the_picture_is_no_matter(self, tail: bytes) -> None:
        for data in JPEGS.values():
            assert np.array_equal(read_photo(data + tail).pixels, read_photo(data).pixels)

    def test_mpo_gives_its_first_picture(self) -> None:
        first, second = Image.fromarray(busy()), Image.fromarray(quarters())
        data = save(first, "MPO", save_all=True, append_images=[second], quality=95, subsampling=0)
        assert Image.open(io.BytesIO(data)).format == "MPO"
        assert np.array_equal(read_photo(data).pixels, read_photo(encode(busy())).pixels)

    def test_fill_bytes_before_a_marker(self) -> None:
        data = JPEGS["baseline"]
        assert np.array_equal(
            read_photo(data[:-2] + b"\xff\xff\xff\xd9").pixels, read_photo(data).pixels
        )

    def test_flipped_bits_never_do_worse_than_a_refusal(self) -> None:
        rng = random.Random(3)
        for data in (*JPEGS.values(), encode(busy(), "PNG"), encode(busy(), "GIF")):
            for _ in range(15):
                place = rng.randrange(len(data))
                broken = data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)])
                try:
                    photo = read_photo(broken + data[place + 1 :], max_pixels=1_000_000)
                except UnreadablePhoto as error:
                    assert str(error)
                else:
                    assert photo.pixels.dtype == np.uint8


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "empty"),
            (b"Dear diary\n" * 50, "not a picture"),
            (b"\xff\xd8\xff", "broken"),
            (b"\0\0\0\x18ftypheic" + bytes(200), "HEIC"),
            (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not a picture"),
            (np.random.default_rng(0).bytes(3000), "not a picture"),
        ],
        ids=["empty", "text", "jpeg head", "heic", "eps", "noise"],
    )
    def test_what_is_no_picture(self, data: bytes, reason: str) -> None:
        with pytest.raises(UnreadablePhoto, match=reason):
            read_photo(data)

    def test_a_bomb_is_not_decoded(self) -> None:
        with pytest.raises(UnreadablePhoto, match=r"60000 x 60000 .* 250 megapixels"):
            read_photo(png_header(60_000, 60_000))

    def test_the_limit_is_the_last_that_may(self) -> None:
        data = encode(quarters(), "PNG")
        assert read_photo(data, max_pixels=48 * 32).width == 48
        with pytest.raises(UnreadablePhoto, match="more than"):
            read_photo(data, max_pixels=48 * 32 - 1)

    def test_a_gigabyte_that_is_claimed_and_not_there(self) -> None:
        with pytest.raises(UnreadablePhoto):
            read_photo(png_header(15_000, 15_000), max_pixels=10**9)


class TestReduced:
    @pytest.mark.parametrize("size", [(640, 480), (1001, 667), (333, 1000)])
    @pytest.mark.parametrize("side", [64, 100, 250, 500])
    def test_agrees_with_the_full_one(self, size: tuple[int, int], side: int) -> None:
        """A reduced decode is the picture averaged over squares of 2, 4 or 8 pixels."""
        width, height = size
        data = encode(draw_photo(width, height, Head(cx=160, cy=200, w=160, roll=10)))
        full = read_photo(data)
        small = read_photo(data, side=side)
        assert (small.width, small.height) == size
        assert max(small.pixels.shape[:2]) >= side
        step = round(1 / small.scale)
        assert small.scale == 1 / step
        assert max(size) / side < 2 * step or step == 8, "as small as may be"
        rows, columns = height // step, width // step
        blocks = full.pixels[: rows * step, : columns * step].reshape(rows, step, columns, step, 3)
        gap = blocks.mean(axis=(1, 3)) - small.pixels[:rows, :columns]
        # Rounding inside the reduced inverse transform; edges of the drawing ring a little.
        assert np.abs(gap).mean() < 1.5

    def test_the_shorter_side_is_kept_large_enough(self) -> None:
        data = encode(draw_photo(2000, 200))
        assert min(read_photo(data, side=250).pixels.shape[:2]) == 25
        assert min(read_photo(data, side=250, short=100).pixels.shape[:2]) == 100
        assert min(read_photo(data, side=250, short=500).pixels.shape[:2]) == 200

    def test_never_enlarged(self) -> None:
        for kind in ("JPEG", "PNG"):
            photo = read_photo(encode(quarters(), kind), side=500)
            assert photo.pixels.shape == (32, 48, 3)
            assert photo.scale == 1

    def test_scale_of_a_photo_made_otherwise(self) -> None:
        pixels = np.zeros((30, 70, 3), np.uint8)
        photo = Photo(pixels=pixels, width=100, height=43, profile=None)
        assert photo.scale == pytest.approx(0.7)


class TestResize:
    @pytest.mark.parametrize("size", [(300, 200), (200, 300), (257, 64), (640, 481), (64, 64)])
    def test_is_torchvisions_resize_and_centre_crop(self, size: tuple[int, int]) -> None:
        """With the same kernel, but for the rounding to eight bits between its two steps."""
        from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

        picture = draw_photo(*size, Head(cx=size[0] / 2, cy=size[1] / 2, w=60), seed=2)
        theirs = Compose([Resize(64, InterpolationMode.LANCZOS), CenterCrop(64)])
        expected = np.asarray(theirs(Image.fromarray(picture)))
        ours = resize_shorter_side(picture, 64)
        assert ours.shape == (64, 64, 3)
        assert distance(ours, expected) <= 1

    def test_takes_the_centre(self) -> None:
        picture = np.zeros((100, 300, 3), np.uint8)
        picture[:, 100:200] = 200
        assert resize_shorter_side(picture, 50)[:, 6:-6].min() == 200
        assert np.abs(resize_shorter_side(picture, 50)[:, 0].astype(int) - 200).max() < 20


class TestFiles:
    def test_png_is_lossless_and_the_same_each_time(self) -> None:
        data = encode_png(busy())
        assert data == encode_png(busy().copy())
        assert np.array_equal(read_photo(data).pixels, busy())

    def test_jpeg(self) -> None:
        assert read_photo(encode_jpeg(busy())).pixels.shape == busy().shape

    def test_read_pictures(self, tmp_path: Path) -> None:
        for index in range(3):
            (tmp_path / f"{index}.png").write_bytes(encode_png(draw_photo(20, 20, seed=index)))
        paths = sorted(tmp_path.glob("*.png"))
        pictures = load_pictures(paths)
        assert pictures.shape == (3, 20, 20, 3)
        assert np.array_equal(pictures[1], draw_photo(20, 20, seed=1))
        odd = tmp_path / "odd.png"
        odd.write_bytes(encode_png(draw_photo(24, 20)))
        with pytest.raises(UnequalSizes, match=r"odd\.png is 24 x 20, but 0\.png is 20 x 20"):
            load_pictures([*paths, odd])
        odd.write_bytes(b"rubbish")
        with pytest.raises(UnreadablePhoto, match=r"odd\.png cannot be read: not a picture"):
            load_pictures([*paths, odd])


class TestSheet:
    @pytest.mark.parametrize(("count", "rows", "columns"), [(1, 1, 1), (4, 1, 4), (5, 2, 4)])
    def test_every_picture_has_its_place(self, count: int, rows: int, columns: int) -> None:
        pictures = np.stack([np.full((6, 8, 3), 10 + i, np.uint8) for i in range(count)])
        made = sheet(pictures, columns=4, gap=2, ground=255)
        assert made.shape == (rows * 8 + 2, columns * 10 + 2, 3)
        for index in range(count):
            top, left = 2 + index // 4 * 8, 2 + index % 4 * 10
            assert (made[top : top + 6, left : left + 8] == 10 + index).all()
        covered = count * 6 * 8
        assert (made[..., 0] == 255).sum() == made.shape[0] * made.shape[1] - covered

    def test_rows_do_not_overlap(self) -> None:
        made = sheet(np.zeros((4, 5, 5, 3), np.uint8), columns=2, gap=1)
        dark = (made[..., 0] == 0).any(axis=1)
        assert dark.tolist() == [False, *[True] * 5, False, *[True] * 5, False]

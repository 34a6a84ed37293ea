"""GIFs, looked at by Pillow and, block by block, by a reader written from the specification."""

import dataclasses
import io
import itertools

import numpy as np
import pytest
from PIL import Image, ImageSequence

from catgan.core.pictures import Picture
from catgan.sample import gif
from catgan.sample.gif import STEADY, Movie, choose_palette, encode_gif, hundredths


@dataclasses.dataclass
class Blocks:
    """What a GIF file says outside its pixels (GIF89a, sections 18 to 26)."""

    global_table: bool
    local_tables: int
    delays: list[int]
    loops: int | None
    comments: list[bytes]


def read_blocks(data: bytes) -> Blocks:
    assert data[:6] == b"GIF89a"
    packed = data[10]
    position = 13 + (3 * 2 ** ((packed & 7) + 1) if packed & 0x80 else 0)
    found = Blocks(bool(packed & 0x80), 0, [], None, [])

    def sub_blocks() -> list[bytes]:
        nonlocal position
        blocks = []
        while length := data[position]:
            blocks.append(data[position + 1 : position + 1 + length])
            position += 1 + length
        position += 1
        return blocks

    while data[position] != 0x3B:
        kind = data[position]
        if kind == 0x21:
            label = data[position + 1]
            position += 2
            blocks = sub_blocks()
            if label == 0xF9:
                found.delays.append(int.from_bytes(blocks[0][1:3], "little"))
            elif label == 0xFE:
                found.comments.append(b"".join(blocks))
            elif label == 0xFF and blocks[0] == b"NETSCAPE2.0":
                found.loops = int.from_bytes(blocks[1][1:3], "little")
        else:
            assert kind == 0x2C, hex(kind)
            packed = data[position + 9]
            position += 10
            if packed & 0x80:
                found.local_tables += 1
                position += 3 * 2 ** ((packed & 7) + 1)
            position += 1  # the code size
            sub_blocks()
    assert position == len(data) - 1
    return found


def decode(data: bytes) -> list[Picture]:
    """The frames as a viewer shows them."""
    image = Image.open(io.BytesIO(data))
    frames = []
    for frame in ImageSequence.Iterator(image):
        frames.append(np.asarray(frame.convert("RGB")))
    return frames


def drift(count: int = 10, *, seed: int = 0) -> list[Picture]:
    """Soft blobs of colour that move and change, on a white ground."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:40, :60]
    colours = rng.integers(0, 256, (3, 3))
    frames = []
    for index in range(count):
        turn = 2 * np.pi * index / count
        frame = np.zeros((40, 60, 3))
        for blob, colour in enumerate(colours):
            cx, cy = 30 + 15 * np.cos(turn + blob), 20 + 8 * np.sin(turn + 2 * blob)
            frame += np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 150)[..., None] * colour
        canvas = frame.clip(0, 254).astype(np.uint8)
        canvas[:4] = 255
        frames.append(canvas)
    return frames


def movie(frames: list[Picture], duration: int = 8) -> Movie:
    return Movie(frames=frames, durations=[duration] * len(frames))


def test_the_blocks_of_the_file() -> None:
    film = Movie(frames=drift(), durations=[*range(3, 12), 200])
    data = encode_gif(film, "epoch 5")
    blocks = read_blocks(data)
    assert blocks.global_table
    assert blocks.local_tables == 0
    assert blocks.delays == film.durations
    assert blocks.loops == 0  # for ever
    assert blocks.comments == [b"catgan sample: epoch 5"]
    assert film.seconds == sum(film.durations) / 100
    image = Image.open(io.BytesIO(data))
    assert image.n_frames == 10  # type: ignore[attr-defined]
    assert image.info["loop"] == 0


def test_the_same_frames_are_the_same_bytes() -> None:
    assert encode_gif(movie(drift()), "x") == encode_gif(movie(drift()), "x")


def test_the_frames_look_like_what_they_should() -> None:
    """Errors do not pile up from frame to frame."""
    frames = drift(20)
    shown = decode(encode_gif(movie(frames), "x"))
    colours = np.array(choose_palette(frames, 254))
    assert len(shown) == 20
    for frame, found in zip(frames, shown, strict=True):
        assert (found[:4] == 255).all(), "the ground is white"
        pixels, seen = frame.reshape(-1, 3).astype(float), found.reshape(-1, 3)
        error = np.linalg.norm(pixels - seen, axis=1)
        nearest = np.linalg.norm(pixels[:, None] - colours, axis=2).min(axis=1)
        # A pixel is kept while within STEADY, else it gets a colour of the palette. Pillow picks
        # the nearest to a corner of a cell of 4 levels: at most 3 levels away in each channel,
        # and so twice that far from the best.
        assert (error <= np.maximum(STEADY, nearest + 2 * 3 * np.sqrt(3)) + 1e-9).all()
        assert error.mean() < STEADY / 2


def test_colours_that_hardly_change_do_not_flicker() -> None:
    rng = np.random.default_rng(1)
    still = drift(1)[0].clip(4, 250)
    frames = [
        (still + rng.integers(-2, 3, still.shape).astype(np.int8)).astype(np.uint8)
        for _ in range(8)
    ]

    def restlessness(shown: list[Picture]) -> float:
        changes = [(one != other).any(axis=-1).mean() for one, other in itertools.pairwise(shown)]
        return float(np.mean(changes)) if changes else 0.0

    alone = [np.asarray(Image.fromarray(frame).quantize(254).convert("RGB")) for frame in frames]
    assert restlessness(alone) > 0.5, "with a palette a frame, colours do flicker"
    assert restlessness(decode(encode_gif(movie(frames), "x"))) < 0.02


def test_equal_frames_are_one_that_is_shown_as_long() -> None:
    frames = drift(3)
    order = [0, 0, 0, 1, 1, 2]
    film = Movie(frames=[frames[index] for index in order], durations=[8, 8, 8, 8, 8, 9])
    data = encode_gif(film, "x")
    assert read_blocks(data).delays == [24, 16, 9]
    assert len(decode(data)) == 3


def test_one_frame_and_one_colour() -> None:
    white = np.full((9, 9, 3), 255, dtype=np.uint8)
    shown = decode(encode_gif(movie([white]), "x"))
    assert (shown[0] == 255).all()


def test_a_palette_has_each_colour_once_and_the_ground_first() -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (40, 40, 3), dtype=np.uint8) for _ in range(3)]
    for frames in (noise, drift()):
        for most in (254, 64):
            palette = choose_palette(frames, most)
            assert palette[0] == (255, 255, 255)
            assert len(set(palette)) == len(palette) <= most
    assert len(choose_palette(noise, 254)) > 200


def test_black_is_black(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of a GIF is filled up with black, which must not stand for "unchanged"."""
    frames = [np.zeros((8, 8, 3), dtype=np.uint8) for _ in range(4)]
    for index, frame in enumerate(frames):
        frame[index] = 200
    for colours in (254, 5):
        monkeypatch.setattr(gif, "PALETTES", (colours,))
        for frame, found in zip(frames, decode(encode_gif(movie(frames), "x")), strict=True):
            np.testing.assert_array_equal(frame, found)


def test_a_large_film_gets_fewer_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (60, 60, 3), dtype=np.uint8) for _ in range(4)]
    rich = encode_gif(movie(noise), "x")
    monkeypatch.setattr(gif, "BUDGET", len(rich) - 1)
    smaller = encode_gif(movie(noise), "x")
    assert len(smaller) < len(rich)
    monkeypatch.setattr(gif, "BUDGET", 10)  # nothing is small enough: the smallest, all the same
    smallest = encode_gif(movie(noise), "x")
    assert len(smallest) < len(smaller)
    assert len(decode(smallest)) == 4


def test_speed_in_hundredths() -> None:
    assert [hundredths(fps) for fps in (1, 8, 10, 12, 25, 50)] == [100, 12, 10, 8, 4, 2]

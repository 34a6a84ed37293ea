"""Moving pictures as MP4 files: H.264, which every player and browser of the last years shows.

PyAV, which brings FFmpeg, is imported only when a video is written.
"""

import tempfile
from pathlib import Path

import numpy as np

from catgan.core.errors import MissingPackage
from catgan.core.pictures import Picture
from catgan.sample.gif import Movie, hundredths
from catgan.sample.layout import GROUND
from catgan.sample.stamp import comment

SUFFIX = ".mp4"
QUALITY = "18"  # x264's constant rate factor; below 20 hardly anybody sees a difference
BT709 = 1  # of primaries, transfer and matrix (ITU-T H.273, tables 2 to 4)
SWSCALE_BT709 = 1  # libswscale's own number for that matrix
STUDIO = 1  # the range from 16 to 235, as FFmpeg counts ranges


def check_videos() -> None:
    """That videos can be written here.

    Raises:
        MissingPackage: The package for it is missing, or cannot encode H.264.
    """
    try:
        import av

        av.Codec("libx264", "w")
    except (ImportError, OSError, ValueError) as error:
        # ValueError: FFmpeg was built without the encoder, which PyAV says so
        raise MissingPackage(
            f"Videos need the package av with an H.264 encoder ({error}): "
            "pip install av, or name a .gif."
        ) from error


def encode_video(movie: Movie, fps: int, note: str) -> bytes:
    """A movie as the bytes of an MP4 file; the same ones each time, with one version of PyAV.

    Args:
        movie: The frames; each is shown for as many of the video's as its duration takes.
        fps: Frames a second.
        note: What they were drawn from, a few words.

    Raises:
        MissingPackage: See `check_videos`.
    """
    check_videos()
    import av
    from av.video.frame import VideoFrame

    av.logging.set_level(None)
    height, width = movie.frames[0].shape[:2]
    # libavformat goes back to the beginning of a finished file, which it opens by its name
    with tempfile.TemporaryDirectory(prefix="catgan-") as folder:
        path = Path(folder) / f"walk{SUFFIX}"
        with av.open(
            str(path),
            "w",
            format="mp4",
            options={"movflags": "+faststart", "fflags": "+bitexact"},
        ) as container:
            container.metadata["comment"] = comment(note)
            stream = container.add_stream(
                "libx264", rate=fps, options={"crf": QUALITY, "preset": "medium"}
            )
            stream.width, stream.height = width + width % 2, height + height % 2
            stream.pix_fmt = "yuv420p"  # the one that all players know; it halves the colours
            codec = stream.codec_context
            codec.thread_count = 1  # with more, the bytes depend on how many
            codec.colorspace = codec.color_primaries = codec.color_trc = BT709
            codec.color_range = STUDIO
            for frame, duration in zip(movie.frames, movie.durations, strict=True):
                for _ in range(max(1, round(duration / hundredths(fps)))):
                    shown = VideoFrame.from_ndarray(_even(frame), format="rgb24")
                    coded = shown.reformat(
                        format="yuv420p",
                        dst_colorspace=SWSCALE_BT709,
                        dst_color_range=STUDIO,
                    )
                    container.mux(stream.encode(coded))
            container.mux(stream.encode())
        return path.read_bytes()


def _even(picture: Picture) -> Picture:
    """A picture with even sides, as halved colours need: a line of ground where one is missing."""
    height, width = picture.shape[:2]
    missing = ((0, height % 2), (0, width % 2), (0, 0))
    return np.ascontiguousarray(np.pad(picture, missing, constant_values=GROUND))

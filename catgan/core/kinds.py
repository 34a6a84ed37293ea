"""Kinds of files, told by their first bytes and, where those say nothing, by their names."""

SNIFF = 64  # bytes that tell a picture from other files

READ = "JPEG, HEIC, PNG, WebP, AVIF, TIFF, BMP, GIF or raw photos"
"""What is read, for people."""

# A file so named was meant to be a photo: if it is none, it gets a verdict that says so.
RAW_SUFFIXES = frozenset(
    {".dng", ".nef", ".nrw", ".arw", ".sr2", ".cr2", ".cr3", ".raf", ".orf", ".rw2", ".pef",
     ".srw", ".3fr", ".iiq"}
)  # fmt: skip
PHOTO_SUFFIXES = RAW_SUFFIXES | {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".heic",
    ".heif", ".avif",
}  # fmt: skip
# What is in a data set may also be what nobody photographs in, but torchvision takes.
PICTURE_SUFFIXES = PHOTO_SUFFIXES | {".ppm", ".pgm"}
_SOUND_SUFFIXES = frozenset({".m4a", ".m4b", ".aac", ".mka", ".weba"})  # in a video's containers
VIDEO_SUFFIXES = frozenset({".mov", ".mp4", ".m4v", ".3gp", ".3g2", ".avi", ".mkv", ".webm"})

HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}
)
_SIGNATURES = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"II*\x00",  # TIFF, little and big endian, and BigTIFF
    b"MM\x00*",
    b"II+\x00",
    b"MM\x00+",
)
# Raw photos whose previews are not where a TIFF has them: Fujifilm, Olympus, Panasonic, Minolta.
_RAW_SIGNATURES = (
    b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\x00", b"\x00MRM", b"FOVb"
)  # fmt: skip
_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
_JPEG_2000 = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
_QUICKTIME = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})


def looks_like_picture(head: bytes) -> bool:
    """Whether a file that begins with these bytes claims to be a picture, or a raw photo.

    Args:
        head: The first `SNIFF` bytes of the file, or all of it where it is shorter.
    """
    return (
        head.startswith(_SIGNATURES)
        or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")
        or (head.startswith(b"BM") and len(head) > 26 and head[6:10] == b"\0\0\0\0")
        or is_heif(head)
        or is_closed_raw(head)
    )


def is_heif(head: bytes) -> bool:
    """Whether it claims to be HEIC or AVIF."""
    return head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS


def is_closed_raw(head: bytes) -> bool:
    """Whether it is a raw photo of a kind of which not even the preview is read."""
    return head.startswith(_RAW_SIGNATURES) or head[4:12] == b"ftypcrx "


def is_tiff(head: bytes) -> bool:
    """Whether it is a TIFF, which raw photos of most makers are inside."""
    return head[:4] in (b"II*\x00", b"MM\x00*")


def is_jpeg_xl(head: bytes, suffix: str) -> bool:
    """Whether it is, or is called, a JPEG XL."""
    return head.startswith(_JPEG_XL) or suffix == ".jxl"


def is_jpeg_2000(head: bytes, suffix: str) -> bool:
    """Whether it is, or is called, a JPEG 2000."""
    return head.startswith(_JPEG_2000) or suffix in (".jp2", ".j2k", ".jpf", ".jpx", ".j2c")


def is_video(head: bytes, suffix: str) -> bool:
    """Whether it is, or is called, a film."""
    if suffix in _SOUND_SUFFIXES:
        return False
    return (
        suffix in VIDEO_SUFFIXES
        or (head[4:8] == b"ftyp" and not is_heif(head) and head[8:12] not in (b"crx ", b"M4A "))
        or (head[4:8] in _QUICKTIME and head[:2] == b"\0\0")
        or (head.startswith(b"RIFF") and head[8:12] == b"AVI ")
        or head.startswith(b"\x1a\x45\xdf\xa3")
    )

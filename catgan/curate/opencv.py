"""OpenCV, or the sentence that says how to get it. Whoever needs `cv2` imports it from here."""

from catgan.core.errors import MissingPackage

try:
    import cv2
    from cv2.data import haarcascades
except ImportError as error:
    raise MissingPackage(
        f"OpenCV cannot be loaded ({error}). On a bare Debian or Ubuntu: apt install libgl1 "
        "libglib2.0-0; elsewhere: pip install --force-reinstall 'opencv-python>=4.10,<5'."
    ) from error

if not hasattr(cv2, "CascadeClassifier"):
    raise MissingPackage(
        f"OpenCV {cv2.__version__} no longer has the cascades that find cat faces; "
        "install an older one: pip install 'opencv-python>=4.10,<5'."
    )

__all__ = ["cv2", "haarcascades"]

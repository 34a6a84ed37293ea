"""Numbers and settings as people read them."""

from catgan.core.words import amount, setting


def test_amounts() -> None:
    assert [amount(size) for size in (0, 6_144_000, 999_999_999, 4.9152e9)] == [
        "1 MB", "6 MB", "1000 MB", "4.9 GB",
    ]  # fmt: skip


def test_settings() -> None:
    values = (True, False, 0, 1, 0.0004, 10.0, "", None, "base")
    assert [setting(value) for value in values] == [
        "yes", "no", "0", "1", "0.0004", "10", "none", "none", "base",
    ]  # fmt: skip

"""Numbers, spans and states as people read them; for the edges, where sentences are made."""

from collections.abc import Sequence

_BALANCE = {
    "healthy": "healthy",
    "diverged": "diverged: losses have been NaN or infinite since epoch {since}",
    "unstable": "unstable since epoch {since}: the discriminator does worse than chance; "
    "lower --lr-d",
    "collapsed": "collapsed since epoch {since}: all samples look alike",
    "winning": "the discriminator has been winning since epoch {since}: it is never fooled, so the "
    "generator stops learning",
    "at-chance": "the discriminator has been at chance since epoch {since}: it cannot tell real "
    "from generated images",
    "copying": "copying training images since epoch {since}",
    "overfitted": "the discriminator has overfitted since epoch {since}: it has memorised "
    "training images",
    "collapsing": "collapsing since epoch {since}: samples grow more and more alike",
    "past-best": "past its best since epoch {since}: samples are getting worse",
}


def balance(state: str | None, since: int | None) -> str:
    """The state of a run's balance; "" for none.

    Args:
        state: One of `formats.stats.STATES`, or one that a newer catgan knows.
        since: Its first epoch; None where it is healthy.
    """
    if state is None:
        return ""
    if state not in _BALANCE:
        return f"{state} since epoch {since}"
    return _BALANCE[state].format(since=since)


def count(number: int, what: str) -> str:
    """A number of things: 1 image, 2 images, 1,000 images.

    Args:
        number: How many.
        what: One of them; takes an s.
    """
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def percent(share: float) -> str:
    """A share as people read it: a tenth near the ends, where rounding would say none or all."""
    value = share * 100
    near_end = 0.05 <= value < 1 or 99 < value <= 99.95
    return f"{value:.1f}%" if near_end else f"{value:.0f}%"


def share_interval(share: float, low: float, high: float) -> str:
    """A share and the interval it lies in."""
    return f"{percent(share)} ({percent(low)} to {percent(high)})"


def signed(value: float, digits: int) -> str:
    """A number with a true minus sign where it is negative, and none where it rounds to 0."""
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "\N{MINUS SIGN}")


def listed(names: Sequence[str]) -> str:
    """Names as a sentence lists them."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def duration(seconds: float) -> str:
    """A time span: 40 s, 12 min, 3 h 5 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def amount(size: float) -> str:
    """Bytes: 6 MB, 4.9 GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(1, round(size / 1e6))} MB"


def setting(value: object) -> str:
    """A setting's value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in ("", None):
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)

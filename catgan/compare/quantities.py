"""What is measured of samples, in words: what each number says and what may be said with it."""

import dataclasses

SAME = "same"
OWN = "own"
FAVOURS = "favours the crops: not ranked"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One number of an arm's samples."""

    key: str
    """As in `Arm.number`."""
    label: str
    """Its name for people."""
    meaning: str
    """What it says, in one plain sentence."""
    reading: str
    """Which way is good, and what to beware of."""
    most: bool
    """Whether the arm with more of it is named first."""
    digits: int | None
    """Behind the point; None for a share."""
    ranked: str
    """`same`: means the same in every arm. `own`: only arms on the same real pictures compare.
    Anything else says why arms on other pictures are not compared, though the number does not
    depend on these."""


RECOGNISED = Quantity(
    key="recognised",
    label="samples recognised as a cat",
    meaning="How many samples a net that has seen a million photographs takes for a cat.",
    reading="More is better, and the row of real pictures says how much there is to reach. A "
    "sample counts where the net gives the five kinds of cat that it knows more than even odds.",
    most=True,
    digits=None,
    ranked=SAME,
)
DIVERSITY = Quantity(
    key="diversity",
    label="variety of samples",
    meaning="How different the samples are from one another, if real pictures are 1.",
    reading="Near 0, the generator draws one cat over and over. Above 1 is no praise: pictures of "
    "nothing in particular differ more than cats do.",
    most=True,
    digits=2,
    ranked=SAME,
)
CLOSE = Quantity(
    key="close",
    label="samples close to a training picture",
    meaning="How many samples are suspiciously like one of the pictures trained on.",
    reading="Closer than all but 5% of real pictures that were never trained on. So about 5% is "
    "what new photos of the same cat would give, and far more means copying. Samples that look "
    "like nothing are close to nothing: 0% is no praise. From few real pictures the mark is known "
    "only roughly, and the interval allows for that.",
    most=True,
    digits=None,
    ranked=SAME,
)
FACES = Quantity(
    key="faces",
    label="samples with a face found",
    meaning="In how many samples the face finder of curate finds a cat's face.",
    reading="It favours face-crop: the same finder chose its pictures, and a face that fills the "
    "picture is easier to find. Hold it against the same rate of its own real pictures.",
    most=True,
    digits=None,
    ranked=FAVOURS,
)
KID = Quantity(
    key="kid",
    label="KID of samples",
    meaning="How far the samples as a crowd are from real pictures as a crowd; 0 is no difference.",
    reading="Kernel inception distance. Less is better; a little below 0 happens by chance.",
    most=False,
    digits=3,
    ranked=OWN,
)
PRECISION = Quantity(
    key="precision",
    label="precision",
    meaning="How many samples lie near some real picture, in the eyes of the net.",
    reading="More is better. One odd real picture that lies far from all others counts as near to "
    "many poor samples, so believe it only together with density. Its interval leaves out what "
    "other real pictures would change.",
    most=True,
    digits=None,
    ranked=OWN,
)
RECALL = Quantity(
    key="recall",
    label="recall",
    meaning="How many real pictures lie near some sample, in the eyes of the net.",
    reading="More is better: it falls when the generator draws the same few cats. Blurred samples "
    "far from everything can raise it, so believe it only together with coverage. Its interval "
    "leaves out what other samples would change.",
    most=True,
    digits=None,
    ranked=OWN,
)
DENSITY = Quantity(
    key="density",
    label="density",
    meaning="How thickly the samples lie where real pictures lie, if real pictures are 1.",
    reading="Precision that odd pictures fool less. Above 1 is no praise: samples then crowd where "
    "real pictures are most alike.",
    most=True,
    digits=2,
    ranked=OWN,
)
COVERAGE = Quantity(
    key="coverage",
    label="coverage",
    meaning="How many real pictures have a sample that is like them.",
    reading="Recall that odd samples do not fool. More is better; as many new real pictures would "
    "reach what stands below the number.",
    most=True,
    digits=None,
    ranked=OWN,
)

QUANTITIES = (RECOGNISED, DIVERSITY, CLOSE, FACES, KID, PRECISION, RECALL, DENSITY, COVERAGE)
CROSSING = tuple(quantity for quantity in QUANTITIES if quantity.ranked == SAME)

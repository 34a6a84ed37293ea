"""The page `docs/results.md`."""

from pathlib import Path

from jinja2 import Template

from benchmarks.results.answers import answers
from benchmarks.results.curves import against_time, curves, loss_table
from benchmarks.results.measured import Measured
from benchmarks.results.pictures import lead_picture
from benchmarks.results.runs import CLEANED, RECIPES, arms_of

TEMPLATE = Path(__file__).with_name("results.md.jinja")


def write_page(study: Path, page: Path) -> None:
    """Write the page, and its pictures into the folder `pictures` beside it."""
    pictures = page.parent / "pictures"
    lead_picture(study, pictures / "study.jpg")
    curves(study, pictures / "study-kid.svg")
    measured = {
        name: found for name in RECIPES[::-1] if (found := Measured.read(study, name)) is not None
    }
    recipes = Measured.read(study, "recipes")
    text = Template(TEMPLATE.read_text(encoding="utf-8"), trim_blocks=True).render(
        answers=answers(study, measured),
        runs=_runs(study),
        left=_left(study),
        measured=measured,
        recipes=recipes if recipes is not None and len(recipes.arms) > 1 else None,
        losses=loss_table(study),
        peers=against_time(study, pictures / "study-time.svg"),
    )
    page.write_text(text.rstrip() + "\n", encoding="utf-8")


def _runs(study: Path) -> str:
    rows = ["| recipe | data set | seeds | thousand images each |", "| --- | --- | --- | --- |"]
    for arm, runs in arms_of(study).items():
        recipe, _, data = arm.partition("-")
        shown = sorted({run.read_stats()[-1].images_shown / 1000 for run in runs})
        kimg = ", ".join(f"{one:g}" for one in shown)
        rows.append(f"| `{recipe}` | `{data}` | {len(runs)} | {kimg} |")
    return "\n".join(rows)


def _left(study: Path) -> str:
    """What the plan asks for and nobody ran."""
    arms = arms_of(study)
    wanted = [f"{recipe}-{data}" for recipe in reversed(RECIPES) for data in CLEANED]
    left = [
        f"`{arm}` ({3 - len(arms.get(arm, ()))} of 3 seeds)"
        for arm in wanted
        if len(arms.get(arm, ())) < 3
    ]
    left.append("1,000 epochs of `projected` on `face-crop`")
    return f"Not run: {', '.join(left)}."

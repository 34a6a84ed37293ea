"""What arms were made with, for the end of the page: what differs, and what all of them share."""

from collections.abc import Sequence

from catgan.compare.measured.arm import Arm
from catgan.core.words import count, setting

NOT_SET = "not set"


def differing_settings(arms: Sequence[Arm]) -> list[tuple[str, list[str]]]:
    """Settings that are not the same in all arms: name, and each arm's value."""
    return [row for row in _settings(arms) if len(set(row[1])) > 1]


def equal_settings(arms: Sequence[Arm]) -> list[tuple[str, str]]:
    """Settings that all arms share: name and value."""
    return [(name, values[0]) for name, values in _settings(arms) if len(set(values)) == 1]


def _settings(arms: Sequence[Arm]) -> list[tuple[str, list[str]]]:
    facts = [_facts(arm) for arm in arms]
    names = list(dict.fromkeys(name for fact in facts for name in fact))
    return [(name, [fact.get(name, NOT_SET) for fact in facts]) for name in names]


def _facts(arm: Arm) -> dict[str, str]:
    """What an arm was made with: its images, its settings, and all seeds of its runs."""
    if not arm.is_run:
        return {"data set": f"a folder of {count(len(arm.shown.candidate.images), 'image')}"}
    split, runs = arm.real.split, [run.candidate for run in arm.runs]
    facts = {
        "data set": split.name,
        "images trained on": str(len(split.train)),
        "images held out": str(len(split.held_out)),
    }
    for name in dict.fromkeys(name for run in runs for name in run.settings):
        facts[name] = _listed([setting(run.settings.get(name, NOT_SET)) for run in runs])
    facts["catgan"] = _listed([run.catgan for run in runs])
    return facts


def _listed(values: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(values))

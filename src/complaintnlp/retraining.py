"""New labelled cases + what a model already learnt -> a new model, accepted only if it is no worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from complaintnlp.corpus import read_corpus
from complaintnlp.errors import InputError
from complaintnlp.evaluation import bootstrap_weights, macro_f1, predictions, score_themes
from complaintnlp.labelled import Labelled, read_labelled
from complaintnlp.language import encoder_of, make_language
from complaintnlp.model import Model, load, save
from complaintnlp.reliability import as_markdown
from complaintnlp.training import fit, folds_of

TOLERANCE = 0.02
"""Macro-F1 that the new model may lose on the frozen cases: less than re-drawing the cases moves it."""
LEAST_NEW = 10
"""New labelled cases below which nothing can be held out to judge by."""


@dataclass(frozen=True)
class Compared:
    """Old and new model on one set of cases.

    Attributes:
        where: `frozen` (the corpus's test split) or `new` (held-out new cases).
        theme: the theme, or `macro`.
        cases: cases that raise it.
        old, new: F1, each with the ends of its 95 % interval.
        difference: new less old, with the ends of its paired 95 % interval.
    """

    where: str
    theme: str
    cases: int
    old: tuple[float, float, float]
    new: tuple[float, float, float]
    difference: tuple[float, float, float]


@dataclass(frozen=True)
class Retrained:
    """What `retrain` returns; `str()` of it is the account for people.

    Attributes:
        accepted: whether the new model was kept.
        reason: why, in a sentence.
        comparison: the figures.
        model: the new model; where it was refused, the base.
        out: the folder that was written, or None.
        added: new cases learnt from.
    """

    accepted: bool
    reason: str
    comparison: tuple[Compared, ...]
    model: Model
    out: Path | None
    added: int

    def __str__(self) -> str:
        verdict = "Accepted" if self.accepted else "Refused"
        lines = [f"{verdict}: {self.reason}"]
        titles = {
            "frozen": "On the frozen test cases of the corpus, which no model learns from:",
            "new": "On new cases that were kept aside:",
        }
        for where, title in titles.items():
            rows = [row for row in self.comparison if row.where == where]
            if rows:
                lines += [
                    "",
                    title,
                    f"  {'theme':<26}{'cases':>6}   {'F1 before':<20}{'F1 after':<20}difference",
                ]
                lines += [
                    f"  {r.theme:<26}{r.cases:>6}   {_shown(r.old):<20}{_shown(r.new):<20}{_shown(r.difference, '+')}"
                    for r in rows
                ]
        if self.out:
            lines += [
                "",
                f"The new model, which has learnt from all {self.added:,} new cases, is in {self.out}",
            ]
        return "\n".join(lines)


def retrain(
    labelled: Any,
    base: Model | None = None,
    out: str | Path | None = None,
    *,
    text: str | None = None,
    id: str | None = None,
    name: str | None = None,
) -> Retrained:
    """Teach a model newly labelled cases.

    The new cases join the corpus. A fifth of them (whole groups) is kept aside; a model trained on the rest is
    compared with the base on the corpus's frozen test split and on the cases kept aside. It is accepted when it
    loses no more than `TOLERANCE` of macro-F1 on the frozen cases and nothing on the new ones. An accepted model
    is then trained once more with all new cases and written to `out`; a refused one is not written.

    Args:
        labelled: a file or table of labelled cases, or a list of them; see `read_labelled`.
        base: the model to compare with and take the taxonomy and the encoder, if it has one, from; the shipped model
            where it is left out.
        out: the model folder to write; nothing is written where it is left out.
        text, id: the columns to use, where they are not found by themselves.
        name: what the new model is to be called; the folder's name where it is left out.

    Raises:
        InputError: when the labels are of other themes than the model's, or there are fewer than ten cases.
    """
    base = load() if base is None else base
    sources = (
        labelled
        if isinstance(labelled, (list, tuple)) and labelled and not isinstance(labelled[0], dict)
        else [labelled]
    )
    cases = [read_labelled(source, base.taxonomy, text=text, id=id) for source in sources]
    new = cases[0]
    for more in cases[1:]:
        new = new.joined(more)
    if len(new) < LEAST_NEW:
        raise InputError(f"{len(new)} labelled cases with a text; retraining takes at least {LEAST_NEW}")
    known, frozen = _corpus_for(base)
    new = _without(new, frozen)
    if len(new) < LEAST_NEW:
        raise InputError("nearly all of these cases stand in the frozen test split, which nothing may learn from")
    folds = folds_of(new)
    aside, learnt = new.take(np.flatnonzero(folds == 0)), new.take(np.flatnonzero(folds != 0))
    title = name or (Path(out).name if out is not None else f"{base.name}-retrained")
    encoder = encoder_of(base.language)

    def fitted(cases: Labelled) -> Model:
        return fit(_joined(known, cases), name=title, version="1", language=make_language(encoder=encoder))

    candidate = fitted(learnt)
    comparison, verdicts = [], {}
    for where, test in (("frozen", frozen), ("new", aside)):
        if test is not None and len(test):
            rows = _compare(where, base, candidate, test)
            comparison += rows
            verdicts[where] = rows[-1]
    accepted, reason = _judge(verdicts, len(aside))
    written = None
    if accepted:
        candidate = fitted(new)
        written = save(candidate, out, _card(candidate, base, reason)) if out is not None else None
    return Retrained(accepted, reason, tuple(comparison), candidate if accepted else base, written, len(new))


def _corpus_for(base: Model) -> tuple[Labelled | None, Labelled | None]:
    """Training and frozen test cases of the corpus, if it is of the same themes."""
    training, frozen = read_corpus(("train", "validation")), read_corpus(("test",))
    if training.taxonomy.ids != base.taxonomy.ids:
        return None, None
    return training, frozen


def _without(new: Labelled, frozen: Labelled | None) -> Labelled:
    if frozen is None:
        return new
    taken = {" ".join(text.lower().split()) for text in frozen.texts}
    return new.take(i for i, text in enumerate(new.texts) if " ".join(text.lower().split()) not in taken)


def _joined(known: Labelled | None, new: Labelled) -> Labelled:
    return new if known is None else known.joined(new)


def _compare(where: str, base: Model, candidate: Model, test: Labelled) -> list[Compared]:
    weights = bootstrap_weights(len(test))
    themes = slice(len(base.taxonomy.ids))
    (old_p, old_raised), (new_p, new_raised) = (
        (probability[:, themes], raised[:, themes])
        for probability, raised in (predictions(base, test.texts), predictions(candidate, test.texts))
    )
    old_scores = score_themes(base.taxonomy.ids, test.labels, old_p, old_raised)
    new_scores = score_themes(base.taxonomy.ids, test.labels, new_p, new_raised)
    rows = []
    for i, theme in enumerate(base.taxonomy.ids):
        rows.append((theme, old_scores[i], new_scores[i], [i]))
    macro = len(base.taxonomy.ids)
    rows.append(("macro", old_scores[macro], new_scores[macro], list(range(macro))))
    return [
        Compared(
            where,
            theme,
            old.cases,
            old.f1,
            new.f1,
            _difference(test.labels[:, of], old_raised[:, of], new_raised[:, of], weights),
        )
        for theme, old, new, of in rows
    ]


def _difference(
    labels: NDArray[np.int8], old: NDArray[np.bool_], new: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[float, float, float]:
    everyone = np.ones((1, len(labels)))
    if not labels.any():
        return float("nan"), float("nan"), float("nan")
    drawn = macro_f1(labels, new, weights) - macro_f1(labels, old, weights)
    whole = macro_f1(labels, new, everyone)[0] - macro_f1(labels, old, everyone)[0]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(whole), float(low), float(high)


def _judge(verdicts: dict[str, Compared], aside: int) -> tuple[bool, str]:
    frozen, new = verdicts.get("frozen"), verdicts.get("new")
    if frozen is not None and frozen.difference[0] < -TOLERANCE:
        return False, (
            f"on the frozen test cases the new model gets {-frozen.difference[0]:.3f} less (F1 over the themes) "
            f"than the old "
            f"one, and {TOLERANCE:.2f} is allowed. The new labels may follow other rules than the corpus: check "
            f"them against the "
            "annotation guide"
        )
    if new is None or np.isnan(new.difference[0]):
        return (
            False,
            "none of the new cases kept aside raises a theme, so there is nothing to judge by. Label more cases",
        )
    if new.difference[0] < 0:
        return False, (
            f"on the {aside:,} new cases kept aside the new model gets {-new.difference[0]:.3f} less (F1 over the "
            f"themes) than "
            "the old one. Add more labelled cases, or check that like cases are labelled alike"
        )
    sure = new.difference[1] > 0
    gain = f"gains {new.difference[0]:.3f}" if new.difference[0] > 0 else "does as well"
    doubt = "" if sure else "; with so few cases that may be chance"
    held = "" if frozen is None else " and holds its ground on the frozen test cases"
    return (
        True,
        f"the new model {gain} (F1 over the themes) on the {aside:,} new cases kept aside{held}{doubt}",
    )


def _shown(values: Sequence[float], sign: str = "") -> str:
    if np.isnan(values[0]):
        return "-"
    return f"{values[0]:{sign}.2f} ({values[1]:{sign}.2f} to {values[2]:{sign}.2f})"


def _card(model: Model, base: Model, reason: str) -> str:
    training = model.facts["training"]
    return (
        f"# {model.name} {model.version}\n\n"
        f"Retrained from {base.name} {base.version} with complaintnlp on {training['cases']:,} cases; "
        f"{reason}.\n\n"
        "The figures of the training, out of fold, are in manifest.json. The folder holds names of words and letter "
        "groups that at least two texts use in lower case, and no text.\n\n"
        f"{as_markdown(model.facts)}"
    )

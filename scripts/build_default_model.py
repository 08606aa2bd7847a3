"""Rebuild the shipped model from `data/corpus`: `make model`. The same inputs give the same files."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from html import escape
from pathlib import Path

from complaintnlp.corpus import read_corpus
from complaintnlp.evaluation import evaluate
from complaintnlp.model import save
from complaintnlp.reliability import Reliability, as_markdown, from_facts
from complaintnlp.training import fit

ROOT = Path(__file__).parents[1]
NAME, VERSION = "complaintnlp-default", "0.1.0"
CARD = """# {name} {version}

Tags British healthcare complaint narratives by failing theme: investigation quality, care failure, communication.

**Training text.** {cases:,} narratives of the project's own corpus (`data/corpus`, CC BY 4.0). They are invented:
written for this purpose, sentence by sentence, by language-model writers, each to a brief of their own, under
written rulings (`data/README.md`, `data/annotation_guide.md`).
No real patient's text was used, and no real text was trained on.

**How it works.** spaCy masks identifiers, splits sentences, marks negation and decisions, and brings word vectors made
of word pieces; tf-idf of words and word pairs beside the vectors; one logistic regression a label, trained on whole
texts and on single sentences with marked evidence. Beside it a small network (spaCy's layers) reads the words in their
order and the sentences within their text, and scores the same labels. Each set of scores is stacked and calibrated by
itself, both are added up with equal weights, and thresholds chosen, on predictions out of fold (folds by writing
batch).

**On the test split** (batches by writers of their own, never trained on; choices were made out of fold and on the
validation split, but these figures were seen while they were made):

```
{table}
```

{reliability}
The groups with their 95 % intervals are drawn in `docs/reliability.svg`.

**Limits.** Invented text is not real text: on real complaints expect less, measure it on labelled cases of your own
(`complaintnlp evaluate labelled.csv`), and retrain. What people put mildly it tends to miss: of the themes of 154 real
patients' stories it found two thirds (`docs/measurements.md`). English only, British health services. It says what a
text *complains of*, not what happened. Raw shares of themes carry the model's error. Not for decisions about single
complaints without a person reading them.

Licence: CC BY 4.0. Rebuild: `make model`.
"""
SIDE, GAP = 200, 56
"""Of a square of the reliability diagram, and around it."""


def main() -> int:
    cases = read_corpus(("train", "validation"))
    model = fit(cases, name=NAME, version=VERSION)
    table = str(evaluate(read_corpus(("test",)), model))
    save(
        model,
        ROOT / "models" / "default",
        CARD.format(name=NAME, version=VERSION, cases=len(cases), table=table, reliability=as_markdown(model.facts)),
    )
    known = from_facts(model.facts)
    assert known is not None
    (ROOT / "docs" / "reliability.svg").write_text(diagram(known[0]), "utf-8")
    print(table)
    return 0


def diagram(reliabilities: Mapping[str, Reliability]) -> str:
    """The reliability diagram as SVG: observed over predicted share, one square a theme, with Wilson intervals."""
    width, height = len(reliabilities) * (SIDE + GAP) + GAP, SIDE + 2 * GAP
    title = "Share of cases labelled, by mean predicted probability, out of fold"
    squares = (_square(GAP + n * (SIDE + GAP), theme, found) for n, (theme, found) in enumerate(reliabilities.items()))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" font-family="sans-serif" '
        f'font-size="12" fill="#222">\n<title>{title}</title>\n<rect width="100%" height="100%" fill="#fff"/>\n'
        + "".join(squares)
        + f'<text x="{width / 2:.0f}" y="{height - 10}" text-anchor="middle">{title}</text>\n</svg>\n'
    )


def _square(left: float, theme: str, found: Reliability) -> str:
    floor = GAP + SIDE
    marks = [
        f'<text x="{left}" y="{GAP - 10}" font-weight="bold">{escape(theme)}, error {found.error:.3f}</text>',
        f'<rect x="{left}" y="{GAP}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#999"/>',
        f'<line x1="{left}" y1="{floor}" x2="{left + SIDE}" y2="{GAP}" stroke="#999" stroke-dasharray="4"/>',
    ]
    for share in (0, 0.5, 1):
        x, y = left + share * SIDE, floor - share * SIDE
        marks.append(f'<text x="{x:.0f}" y="{floor + 16}" text-anchor="middle">{share:.0%}</text>')
        marks.append(f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{share:.0%}</text>')
    for one in found.bins:
        x = left + one.predicted * SIDE
        y, low, high = (floor - share * SIDE for share in (one.observed, *one.interval))
        marks.append(f'<line x1="{x:.1f}" y1="{low:.1f}" x2="{x:.1f}" y2="{high:.1f}" stroke="#1f5a8a"/>')
        marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#1f5a8a"/>')
    return "\n".join(marks) + "\n"


if __name__ == "__main__":
    sys.exit(main())

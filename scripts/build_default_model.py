"""Rebuild the shipped model from `data/corpus`: `make model`. The same inputs give the same files."""

from __future__ import annotations

import sys
from pathlib import Path

from complaintnlp.corpus import read_corpus
from complaintnlp.evaluation import evaluate
from complaintnlp.model import save
from complaintnlp.training import fit

ROOT = Path(__file__).parents[1]
NAME, VERSION = "complaintnlp-default", "0.1.0"
CARD = """# {name} {version}

Tags British healthcare complaint narratives by failing theme: investigation quality, care failure, communication.

**Training text.** {cases:,} narratives of the project's own corpus (`data/corpus`, CC BY 4.0). They are invented:
written for this purpose, sentence by sentence, by language-model writers, each to a brief of their own, under
written rulings (`data/README.md`, `data/annotation_guide.md`).
No real patient's text was used, and no real text was trained on.

**How it works.** spaCy masks identifiers, splits sentences, tags concepts and negation; tf-idf of words, word pairs
and pieces of words; one logistic regression a theme, trained on whole texts and on single sentences with marked
evidence; calibrated, and thresholds chosen, on predictions out of fold (folds by writing batch).

**On the test split** (batches by writers of their own, never trained on, not used to choose anything):

```
{table}
```

**Limits.** Invented text is not real text: on real complaints expect less, measure it on labelled cases of your own
(`complaintnlp evaluate labelled.csv`), and retrain. English only, British health services. It says what a text
*complains of*, not what happened. Raw shares of themes carry the model's error. Not for decisions about single
complaints without a person reading them.

Licence: CC BY 4.0. Rebuild: `make model`.
"""


def main() -> int:
    cases = read_corpus(("train", "validation"))
    model = fit(cases, name=NAME, version=VERSION)
    table = str(evaluate(read_corpus(("test",)), model))
    save(
        model,
        ROOT / "models" / "default",
        CARD.format(name=NAME, version=VERSION, cases=len(cases), table=table),
    )
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Print the figures of the data statement: what is in the corpus, how varied it is, and how alike its batches are.

python scripts/describe_corpus.py
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from complaintnlp.corpus import SPLITS, corpus_files
from corpus_markup import summary

WINDOW = 100


def main() -> int:
    everything: list[dict[str, Any]] = []
    for split in SPLITS:
        part = [json.loads(line) for path in corpus_files([split]) for line in path.read_text("utf-8").splitlines()]
        print(f"== {split}\n{summary(part)}\n")
        everything += part
    print(f"== all\n{summary(everything)}")
    print(f"services: {dict(Counter(r['service'] for r in everything).most_common())}")
    print("\n== lexical diversity (moving-average type-token ratio, windows of 100 words; Covington & McFall 2010)")
    batches = sorted({record["batch"] for record in everything})
    for batch in batches:
        words = [w for r in everything if r["batch"] == batch for w in re.findall(r"[\w'’]+", r["text"].lower())]
        print(f"{batch:<24}{moving_average_ratio(words):.3f}")
    print("\n== can a classifier tell the batches apart? (word tf-idf, 5-fold cross-validated accuracy)")
    texts, labels = [r["text"] for r in everything], [r["batch"] for r in everything]
    learner = make_pipeline(TfidfVectorizer(sublinear_tf=True, min_df=2), LogisticRegression(C=10, max_iter=500))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    accuracy = cross_val_score(learner, texts, labels, cv=folds).mean()
    chance = max(Counter(labels).values()) / len(labels)
    print(f"accuracy {accuracy:.2f} over {len(batches)} batches; always naming the largest gets {chance:.2f}")
    return 0


def moving_average_ratio(words: list[str]) -> float:
    """Mean, over all windows of WINDOW words, of different words per word."""
    counts = Counter(words[:WINDOW])
    ratios = [len(counts)]
    for out, into in zip(words, words[WINDOW:], strict=False):
        counts[into] += 1
        counts[out] -= 1
        if not counts[out]:
            del counts[out]
        ratios.append(len(counts))
    return float(np.mean(ratios)) / WINDOW


if __name__ == "__main__":
    sys.exit(main())

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
OWN_WORDS = frozenset(["letter", "email", "web_form", "comment", "survey", "social_post"])
"""Registers in which people write for themselves; officials' texts have few slips, and notes have their own style."""
SLIPS = (
    r"\b(?:dont|didnt|doesnt|cant|couldnt|wouldnt|shouldnt|wont|wasnt|werent|isnt|arent|hasnt|havent|hadnt|im|ive|youre|"
    r"theyre|thats|whats|hes|shes|its (?:a|been|not|the))\b",  # an apostrophe left out
    r"(?<![\w.])i(?:'(?:m|ve|d|ll))?(?![\w.])",  # a small i
    r"(?:^|[.!?]\s+)[a-z]+ ",  # a sentence that begins small
    r"(?i:\b(?:would|should|could|might|must)(?:n't|nt)? of\b)",  # of for have
    r"!!|\?\?|,,|\s,|(?<!\.)\.\.(?!\.)|[a-z][.,][A-Z][a-z]",  # marks doubled, space lost
    r"\b[A-Z]{4,} [A-Z]{2,}\b",  # shouting
    r"[a-z]\s*$",  # no stop at the end
)
"""Slips of the pen that a pattern can see; wrong words and wrong spellings come on top."""


def main() -> int:
    everything: list[dict[str, Any]] = []
    for split in SPLITS:
        part = [json.loads(line) for path in corpus_files([split]) for line in path.read_text("utf-8").splitlines()]
        print(f"== {split}\n{summary(part)}\n")
        everything += part
    print(f"== all\n{summary(everything)}")
    print(f"services: {dict(Counter(r['service'] for r in everything).most_common())}")
    own = [r["text"] for r in everything if r["register"] in OWN_WORDS]
    slips = sum(any(re.search(slip, text) for slip in SLIPS) for text in own)
    print(f"with a slip of the pen: {slips} of {len(own)} in people's own words ({slips / len(everything):.0%} of all)")
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

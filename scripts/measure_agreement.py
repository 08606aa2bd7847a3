"""Agreement of the corpus's labels with a second, independent reading.

    python scripts/measure_agreement.py data/second_reading.tsv
    python scripts/measure_agreement.py data/second_reading_sentences.tsv

The first file has one line a narrative: case id, a tab, the subthemes that the second reader saw, commas between. The
second one line a sentence: case id, start, end, the themes of which the second reader found a failing stated in it.
Prints for each label Cohen's kappa (1960) and Gwet's AC1 (2008), which, unlike kappa, does not fall to nought where a
label is rare and readers agree that it is absent, and the F1 of one reader measured against the other; writes nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from complaintnlp.corpus import corpus_files
from complaintnlp.taxonomy import Taxonomy
from complaintnlp.training import covers

Item = tuple[str, ...]
"""What was read: a case id, or case id, start and end of a sentence."""


def kappa(one: Sequence[bool], other: Sequence[bool]) -> float:
    """Cohen's kappa: agreement beyond what each reader's own share of yes would give by chance."""
    n = len(one)
    observed = sum(a == b for a, b in zip(one, other, strict=True)) / n
    p, q = sum(one) / n, sum(other) / n
    chance = p * q + (1 - p) * (1 - q)
    return 1.0 if chance == 1 else (observed - chance) / (1 - chance)


def ac1(one: Sequence[bool], other: Sequence[bool]) -> float:
    """Gwet's AC1: chance agreement is 2 p (1 - p), with p the mean share of yes."""
    n = len(one)
    observed = sum(a == b for a, b in zip(one, other, strict=True)) / n
    p = (sum(one) + sum(other)) / (2 * n)
    chance = 2 * p * (1 - p)
    return (observed - chance) / (1 - chance)


def f1(one: Sequence[bool], other: Sequence[bool]) -> float:
    """Twice what both say, over what either says."""
    said = sum(one) + sum(other)
    return 2 * sum(a and b for a, b in zip(one, other, strict=True)) / said if said else 1.0


def first_reading(wanted: Iterable[Item]) -> dict[Item, set[str]]:
    """The corpus's own labels of narratives, and of the sentences that are wanted by the spans that lie in them."""
    sentences: dict[str, list[Item]] = {}
    for item in wanted:
        if len(item) > 1:
            sentences.setdefault(item[0], []).append(item)
    found: dict[Item, set[str]] = {}
    for path in corpus_files():
        for record in map(json.loads, path.read_text("utf-8").splitlines()):
            found[(record["case_id"],)] = {*record["themes"], *record["subthemes"]}
            for item in sentences.get(record["case_id"], ()):
                found[item] = {
                    span["theme"]
                    for span in record["spans"]
                    if covers(int(item[1]), int(item[2]), span["start"], span["end"])
                }
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reading", type=Path)
    parser.add_argument("--show", metavar="ID", help="list the case ids on which the readers differ about a label")
    args = parser.parse_args()
    taxonomy = Taxonomy.default()
    parent = {subtheme.id: theme.id for theme in taxonomy.themes for subtheme in theme.subthemes}
    second: dict[Item, set[str]] = {}
    for line in args.reading.read_text("utf-8").splitlines():
        *item, labels = line.split("\t")
        found = {label.strip() for label in labels.split(",") if label.strip()}
        second[tuple(item)] = found | {parent[label] for label in found if label in parent}
    first = {item: labels for item, labels in first_reading(second).items() if item in second}
    missing = sorted(second.keys() - first.keys())
    if missing:
        print(f"{args.reading}: {' '.join(missing[0])} is not in the corpus", file=sys.stderr)
        return 2
    items = sorted(second)
    if args.show:
        print("\n".join(" ".join(item) for item in items if (args.show in first[item]) != (args.show in second[item])))
        return 0
    told = "sentences" if len(items[0]) > 1 else "narratives"
    print(f"{len(items)} {told}\n\n{'label':<30}{'first':>6}{'second':>7}{'agree':>7}{'kappa':>7}{'AC1':>6}{'F1':>6}")
    for label in (*taxonomy.ids, *(taxonomy.subtheme_ids if told == "narratives" else ())):
        one, other = ([label in read[item] for item in items] for read in (first, second))
        same = sum(a == b for a, b in zip(one, other, strict=True)) / len(items)
        print(
            f"{label:<30}{sum(one):>6}{sum(other):>7}{same:>7.2f}{kappa(one, other):>7.2f}{ac1(one, other):>6.2f}"
            f"{f1(one, other):>6.2f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Agreement of the corpus's labels with a second, independent reading.

    python scripts/measure_agreement.py data/second_reading.tsv

The file has one line a narrative: case id, a tab, the subthemes that the second reader saw, commas between. Prints for
each theme and subtheme Cohen's kappa (1960) and Gwet's AC1 (2008), which, unlike kappa, does not fall to nought where a
label is rare and readers agree that it is absent; and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from complaintnlp.corpus import corpus_files
from complaintnlp.taxonomy import Taxonomy


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reading", type=Path)
    parser.add_argument("--show", metavar="ID", help="list the case ids on which the readers differ about a label")
    args = parser.parse_args()
    taxonomy = Taxonomy.default()
    parent = {subtheme.id: theme.id for theme in taxonomy.themes for subtheme in theme.subthemes}
    second: dict[str, set[str]] = {}
    for line in args.reading.read_text("utf-8").splitlines():
        case, _, labels = line.partition("\t")
        subthemes = {label.strip() for label in labels.split(",") if label.strip()}
        second[case] = subthemes | {parent[subtheme] for subtheme in subthemes}
    first: dict[str, set[str]] = {}
    for path in corpus_files():
        for record in map(json.loads, path.read_text("utf-8").splitlines()):
            if record["case_id"] in second:
                first[record["case_id"]] = {*record["themes"], *record["subthemes"]}
    missing = sorted(second.keys() - first.keys())
    if missing:
        print(f"{args.reading}: {missing[0]} is not in the corpus", file=sys.stderr)
        return 2
    cases = sorted(second)
    if args.show:
        print("\n".join(case for case in cases if (args.show in first[case]) != (args.show in second[case])))
        return 0
    print(f"{len(cases)} narratives\n\n{'label':<30}{'first':>6}{'second':>7}{'agree':>7}{'kappa':>7}{'AC1':>6}")
    for label in (*taxonomy.ids, *taxonomy.subtheme_ids):
        one, other = ([label in read[case] for case in cases] for read in (first, second))
        same = sum(a == b for a, b in zip(one, other, strict=True)) / len(cases)
        print(f"{label:<30}{sum(one):>6}{sum(other):>7}{same:>7.2f}{kappa(one, other):>7.2f}{ac1(one, other):>6.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

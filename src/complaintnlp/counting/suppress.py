"""Which counts of a set of tables are not shown, so that no hidden one follows from those that are.

Small counts are hidden first. Then an attacker is played, who knows of every figure shown how far rounding can have
moved it, of every hidden one whether it is small, every sum that the tables make, and that counts are whole and not
negative, also those of subthemes and categories that no table shows: by linear programming, the least and the most that
each hidden count can be. A count that can be only one number is protected by hiding one more of the figures that pin
it, and so on until none is pinned. (Complementary cell suppression with an audit: Hundepool et al. (2012), Statistical
Disclosure Control, chapter 4.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import linprog

from complaintnlp.counting.disclosure import Policy
from complaintnlp.counting.tally import ALL, NONE, ROWS, UPHELD_OF, WHOLES, Cell, Group, Tally

Hidden = frozenset[tuple[Group, Cell]]
Figure = tuple[int, Group, Cell]
"""A count of the table with that number."""
Terms = Mapping[Figure, float]
_TOLERANCE = 1e-6
_UNSEEN = 1_000_000
"""The number of the first table that is not published: later than all that are."""
_PROBES, _WORTH = 6, 0.9
"""Hidden counts above which random directions are tried first, as long as one leaves no more than this of them."""


def protect(
    tallies: Sequence[Tally], rules: Policy, sums: Sequence[Terms] = (), unseen: Sequence[Tally] = ()
) -> list[Hidden]:
    """What to hide of each table of a set that is published together.

    Args:
        tallies: tables of the same cases, wider before finer; a table by some of the columns of another is
            understood to hold its sums.
        rules: the disclosure policy.
        sums: of their counts that are 0, beyond those that the columns tell.
        unseen: tables of the same cases by the columns of others that are not published, of subthemes or
            categories, say: what is shown must leave room for them too.

    Returns:
        For each table the cells not to show. Without `rules.secondary` those that the policy suppresses one
        by one; with it also those that would give these away. Tables earlier in the order keep the more.
    """
    counts = _counts(dict(enumerate(tallies)))
    hidden = {figure for figure, count in counts.items() if shown(figure[2], count, rules) is None}
    if rules.secondary:
        # Three themes and 10 mentions would say of a suppressed number of cases that it is 4 or more.
        hidden |= {figure for figure in counts if _of_cases(figure) in hidden}
        hidden |= _partners(hidden, counts)
        whole = _system(tallies, rules, sums, unseen)
        whole.look(hidden)
        pinned = whole.pinned(hidden)
        for last in range(1, len(tallies)):
            # What all tables together leave room for, some of them do.
            if any(figure[0] < last for figure in pinned):
                some = _system(tallies[:last], rules, sums, unseen)
                some.take(whole)
                before = len(hidden)
                hidden |= some.protected({figure for figure in hidden if figure[0] < last})
                if len(hidden) > before:
                    whole.look(hidden)
                    pinned = whole.pinned(hidden)
        hidden |= whole.protected(hidden)
    return [frozenset((group, cell) for n, group, cell in hidden if n == number) for number in range(len(tallies))]


def _counts(tables: Mapping[int, Tally]) -> dict[Figure, int]:
    return {
        (number, group, cell): count
        for number, one in tables.items()
        for group, cells in one.groups.items()
        for cell, count in cells.items()
    }


def _system(tallies: Sequence[Tally], rules: Policy, sums: Iterable[Terms], unseen: Sequence[Tally]) -> _System:
    """What an attacker knows of some tables; of those not seen, the ones by the same columns."""
    tables = dict(enumerate(tallies))
    known = set(_counts(tables))
    columns = {one.by for one in tallies}
    # Numbered after all that are published, whichever those are.
    tables |= {n: one for n, one in enumerate(unseen, _UNSEEN) if one.by in columns}
    return _System(tables, known, rules, [terms for terms in sums if known >= terms.keys()])


def shown(cell: Cell, count: int, rules: Policy) -> int | None:
    """A count as the policy lets it be shown: that no rows were left out is no complaint to protect."""
    return 0 if cell[1] == ROWS and count == 0 else rules.show(count)


def _of_cases(figure: Figure) -> Figure | None:
    """The number of cases whose mentions the figure is."""
    number, group, cell = figure
    return (number, group, (ALL, "cases")) if cell == (ALL, "mentions") else None


def _partners(hidden: Iterable[Figure], counts: Mapping[Figure, int]) -> set[Figure]:
    """A rate stands on two counts: where one is not shown, neither is the other."""
    pair = {"upheld": "resolved", "resolved": "upheld"}
    found = {(n, group, (theme, pair[q])) for n, group, (theme, q) in hidden if q in pair}
    return found & set(counts)


class _System:
    """What an attacker knows of some tables: counts, and how they hang together."""

    def __init__(
        self, tables: Mapping[int, Tally], known: Container[Figure], rules: Policy, sums: Iterable[Terms]
    ) -> None:
        counts = _counts(tables)
        self.figures = list(counts)
        self.place = {figure: place for place, figure in enumerate(self.figures)}
        self.equal = self._matrix([*_equalities(tables), *sums])
        self.above = self._matrix(_inequalities(tables))
        self.unknown = np.array([figure not in known for figure in self.figures], bool)
        """Of tables that are not published."""
        self.low, self.high = np.full(len(self.figures), np.inf), np.full(len(self.figures), -np.inf)
        """The least and the most that each count has been seen to be."""
        self.least = np.zeros(len(self.figures))
        for figure in self.figures:
            number, group, cell = figure
            # A group is listed because it has a case.
            if cell == (ALL, "cases") and group and all(c[cell] for c in tables[number].groups.values()):
                self.least[self.place[figure]] = figure in known
        # A programme in fractions does not see all: what is rounded leaves it more to see.
        self.room = 2 if rules.round_to > 1 else 1
        each = [shown(cell, count, rules) for (_, _, cell), count in counts.items()]
        self.told = np.array([rules.range(one) for one in each], float).reshape(-1, 2).T
        self.small = np.array([one is None for one in each], bool) & ~self.unknown
        # Far beyond any count, so that it holds nothing in place and no programme is unbounded.
        self.most = 2 * self.told.max(initial=0) + 100

    def look(self, hidden: set[Figure]) -> None:
        """See which hidden counts can move.

        While a look in a random direction shows of many that they can, it is cheaper than one at each.
        """
        random = np.random.default_rng(0)
        seen = len(self.figures) + 1
        while _PROBES < len(open_ := self._open(hidden)) < _WORTH * seen:
            seen = len(open_)
            weights = np.zeros(len(self.figures))
            weights[open_] = random.normal(size=seen)
            for sign in (1, -1):
                self._solve(sign * weights, hidden)

    def take(self, whole: _System) -> None:
        """What was seen to be possible with more tables is possible here."""
        places = [whole.place[figure] for figure in self.figures]
        self.low, self.high = whole.low[places], whole.high[places]

    def pinned(self, hidden: set[Figure]) -> list[Figure]:
        """The hidden counts of which it was not seen that they can move; if these are few, each was looked at."""
        if len(open_ := self._open(hidden)) <= _PROBES:
            for place in open_:
                self._pins(place, hidden)
        return [self.figures[place] for place in self._open(hidden)]

    def protected(self, hidden: set[Figure]) -> set[Figure]:
        """The hidden figures, and as many more as keep each of them from being known."""
        hidden = self._paired(hidden)
        self.look(hidden)
        lost: set[int] = set()
        while left := [place for place in self._open(hidden) if place not in lost]:
            target = left[0]
            pins = self._pins(target, hidden)
            if target in self._open(hidden):
                if holding := [int(place) for place in np.flatnonzero(pins > _TOLERANCE)]:
                    more = {self._cheapest(holding)}
                    hidden = self._paired(hidden | more | _partners(more, self.place))
                else:
                    # That it and others are small, or no case at all: what the headings tell no symbol can hide.
                    lost.add(target)
        return hidden

    def _paired(self, hidden: set[Figure]) -> set[Figure]:
        """With one more figure wherever a sum has but one hidden part and the others leave it no room.

        No programme is needed to find these out.
        """
        hidden = set(hidden)
        room = self.told[1] - self.told[0]
        rows = np.split(self.equal.indices, self.equal.indptr[1:-1])
        of_figure = self.equal.tocsc()
        waiting = list(range(len(rows)))
        while waiting:
            row = rows[waiting.pop()]
            known = [p for p in row if self.figures[p] not in hidden]
            if len(known) != len(row) - 1 or not known or self.unknown[known].any() or room[known].any():
                continue
            more = {self._cheapest(known)}
            more |= _partners(more, self.place)
            hidden |= more
            for place in (self.place[figure] for figure in more):
                waiting.extend(of_figure.indices[of_figure.indptr[place] : of_figure.indptr[place + 1]])
        return hidden

    def _open(self, hidden: set[Figure]) -> list[int]:
        """Hidden counts of which too few whole numbers are yet known to be possible."""
        places = np.array(sorted(self.place[figure] for figure in hidden), int)
        low, high = np.ceil(self.low[places] - _TOLERANCE), np.floor(self.high[places] + _TOLERANCE)
        return [int(place) for place in places[high - low < self.room]]

    def _pins(self, place: int, hidden: set[Figure]) -> NDArray[np.float64]:
        """How much each shown count pins one hidden one, from below and above."""
        weights = np.zeros(len(self.figures))
        weights[place] = 1
        return self._solve(weights, hidden) + self._solve(-weights, hidden)

    def _solve(self, weights: NDArray[np.float64], hidden: set[Figure]) -> NDArray[np.float64]:
        """Minimise; widen what each count has been seen to be; return how much each shown count pins the result."""
        unseen = self.unknown.copy()
        unseen[[self.place[figure] for figure in hidden]] = True
        unsaid = unseen & ~self.small
        least = np.maximum(self.least, np.where(unsaid, 0, self.told[0]))
        most = np.where(unsaid, self.most, self.told[1])
        free = least < most
        known = np.where(free, 0, least)
        # What holds no free figure holds nothing in place.
        equal, above = (rows[np.flatnonzero(abs(rows) @ free.astype(float))] for rows in (self.equal, self.above))
        found = linprog(
            weights[free], A_ub=-above[:, free], b_ub=above @ known, A_eq=equal[:, free], b_eq=-(equal @ known),
            bounds=np.array([least[free], most[free]]).T, method="highs",
        )  # fmt: skip
        known[free] = found.x
        np.minimum(self.low, known, out=self.low)
        np.maximum(self.high, known, out=self.high)
        pins = np.abs(equal.T @ found.eqlin.marginals - above.T @ found.ineqlin.marginals)
        pins[free] = np.abs(found.lower.marginals) + np.abs(found.upper.marginals)
        return np.asarray(np.where(unseen, 0, pins))

    def _cheapest(self, places: Iterable[int]) -> Figure:
        """Of some shown figures one of the latest table, no total, and the smallest there."""

        def cost(place: int) -> tuple[float, ...]:
            number, _, (theme, _) = self.figures[place]
            return -number, theme == ALL, self.told[0, place], place

        return self.figures[min(places, key=cost)]

    def _matrix(self, rows: Iterable[Terms]) -> sp.csr_matrix:
        entries = [(r, self.place[figure], x) for r, terms in enumerate(rows) for figure, x in terms.items()]
        height = 1 + max((r for r, _, _ in entries), default=-1)
        r, c, x = zip(*entries, strict=True) if entries else ((), (), ())
        return sp.csr_matrix((x, (r, c)), shape=(height, len(self.figures)))


def _equalities(tables: Mapping[int, Tally]) -> Iterator[Terms]:
    """Sums that are 0: of parts and their whole."""
    for number, one in tables.items():
        for group, cells in one.groups.items():
            yield from _whole(number, one, group, cells)
        for wider, other in tables.items():
            if _crosses(one, other):
                yield from _same(number, one, wider, other)
            elif _wider(number, one, wider, other):
                yield from _sums(number, one, wider, other)


def _whole(number: int, one: Tally, group: Group, cells: Mapping[Cell, int]) -> Iterator[Terms]:
    for theme in one.themes:
        for whole, parts in WHOLES.items():
            if (theme, whole) in cells:
                terms = {(number, group, (theme, part)): 1.0 for part in parts}
                yield {**terms, (number, group, (theme, whole)): -1.0}
    if (ALL, "mentions") in cells:
        terms = {(number, group, (theme, "cases")): 1.0 for theme in one.raised}
        yield {**terms, (number, group, (ALL, "mentions")): -1.0}
    if one.exact:
        terms = {(number, group, (theme, "cases")): 1.0 for theme in (*one.raised, NONE)}
        yield {**terms, (number, group, (ALL, "cases")): -1.0}


def _sums(number: int, one: Tally, wider: int, other: Tally) -> Iterator[Terms]:
    """The groups of a finer table add up to those of a wider one."""
    places = [one.by.index(name) for name in other.by]
    inside: dict[Group, list[Group]] = {group: [] for group in other.groups}
    for group in one.groups:
        # A group without cases may be listed in one table alone, for its exposure.
        if (whole := tuple(group[place] for place in places)) in inside:
            inside[whole].append(group)
    for whole, groups in inside.items():
        for cell in other.groups[whole]:
            theme, quantity = cell
            total = {(wider, whole, cell): -1.0}
            if one.exact:
                if theme in (ALL, NONE) and quantity == "cases":
                    yield {**{(number, group, cell): 1.0 for group in groups}, **total}
                continue
            if groups and cell in one.groups[groups[0]]:
                yield {**{(number, group, cell): 1.0 for group in groups}, **total}
            # The table by outcome may leave out the subthemes.
            listed = bool(groups) and (theme, "cases") in one.groups[groups[0]]
            if "outcome" in one.by and quantity in UPHELD_OF and listed:
                place = one.by.index("outcome")
                decided = [group for group in groups if group[place] in UPHELD_OF[quantity]]
                yield {**{(number, group, (theme, "cases")): 1.0 for group in decided}, **total}


def _wider(number: int, one: Tally, wider: int, other: Tally) -> bool:
    """Whether the groups of one are parts of those of the other, or the same again."""
    columns, others = set(one.by), set(other.by)
    if one.parts != other.parts or other.exact:
        return False
    return others < columns or (others == columns and (one.exact or wider < number))


def _crosses(one: Tally, other: Tally) -> bool:
    """Whether one counts the categories of a crosswalk from subthemes that the other counts."""
    return bool(one.parts) and not other.parts and not other.exact and one.by == other.by and bool(other.subthemes)


def _same(number: int, one: Tally, wider: int, other: Tally) -> Iterator[Terms]:
    """All cases, those of no category, and the categories of one subtheme are counted in either table."""
    same = {category: parts[0] for category, parts in one.parts.items() if len(parts) == 1} | {ALL: ALL, NONE: NONE}
    for group, cells in one.groups.items():
        for category, quantity in cells:
            twin = (same.get(category, ""), quantity)
            # That nothing but themes leads to a category is so of what the package tags; rows can say otherwise.
            if other.groups[group].get(twin) == cells[category, quantity] and quantity != "mentions":
                yield {(number, group, (category, quantity)): 1.0, (wider, group, twin): -1.0}


def _inequalities(tables: Mapping[int, Tally]) -> Iterator[Terms]:
    """Sums that are 0 or more."""
    for number, one in tables.items():
        for group, cells in one.groups.items():
            for terms in _within(one, cells):
                yield {(number, group, cell): x for cell, x in terms.items()}
        if one.exact:
            yield from _exact(number, one, tables)
        for wider, other in tables.items():
            if _crosses(one, other):
                yield from _united(number, one, wider)
                yield from _lacking(number, one, wider, other)


def _within(one: Tally, cells: Mapping[Cell, int]) -> Iterator[Mapping[Cell, float]]:
    for theme in one.raised:
        if (theme, "found") in cells:
            yield {(theme, "cases"): 1, (theme, "found"): -1}
    if (ALL, "cases") not in cells:
        return  # rows
    for kind in _kinds({quantity for _, quantity in cells}):

        def of(theme: str, sign: int, kind: Mapping[str, int] = kind) -> dict[Cell, float]:
            return {(theme, quantity): sign * x for quantity, x in kind.items()}

        yield from _details(one, cells, of)
        for theme in one.themes:
            yield of(theme, 1)
            # No more raise one theme than raise any, and no more raise any than raise each, added up.
            if theme != ALL:
                yield {**of(ALL, 1), **(of(NONE, -1) if theme in one.raised else {}), **of(theme, -1)}
        if not one.exact:
            every = {cell: x for theme in one.raised for cell, x in of(theme, 1).items()}
            yield {**every, **of(NONE, 1), **of(ALL, -1)}


def _details(
    one: Tally, cells: Mapping[Cell, int], of: Callable[[str, int], dict[Cell, float]]
) -> Iterator[Mapping[Cell, float]]:
    """Subthemes lie below themes; who has none that leads to a category of a crosswalk is in no other category."""
    for name, themes in one.above.items():
        for theme in themes:
            terms = {**of(theme, 1), **of(name, -1)}
            if terms.keys() <= cells.keys():
                yield terms
    for rest in (category for category, parts in one.parts.items() if not parts):
        for theme in (other for other in one.raised if other != rest):
            terms = {**of(ALL, 1), **of(NONE, -1), **of(theme, -1), **of(rest, -1)}
            # A crosswalk may lead from subthemes to the rest too.
            if sum(x * cells[cell] for cell, x in terms.items()) >= 0:
                yield terms


def _kinds(quantities: set[str]) -> Iterator[Mapping[str, int]]:
    """Ways to part the cases in two or more kinds: each kind as a sum of quantities."""
    yield {"cases": 1}
    if "resolved" in quantities:
        yield from ({"upheld": 1}, {"resolved": 1, "upheld": -1}, {"cases": 1, "resolved": -1})
    if "graded" in quantities:
        yield from ({part: 1} for part in WHOLES["graded"])
        yield {"cases": 1, "graded": -1}


def _united(number: int, one: Tally, wider: int) -> Iterator[Terms]:
    """A category has no fewer cases than each subtheme that leads to it, and no more than all of them added up."""
    for group, cells in one.groups.items():
        for kind in _kinds({quantity for _, quantity in cells}):
            for category, parts in one.parts.items():
                whole = {(number, group, (category, q)): float(x) for q, x in kind.items()}
                every: dict[Figure, float] = {}
                for part in parts:
                    terms = {(wider, group, (part, q)): -float(x) for q, x in kind.items()}
                    every |= terms
                    yield {**whole, **terms}
                if every:
                    yield {figure: -x for figure, x in {**whole, **every}.items()}


def _lacking(number: int, one: Tally, wider: int, other: Tally) -> Iterator[Terms]:
    """Who raises a theme and is of no category, or of others than this, lacks of some theme what leads to this one."""
    led = [part for parts in one.parts.values() for part in parts]
    rest = {category: -1 for category, parts in one.parts.items() if not parts}
    for group, cells in one.groups.items():
        for kind in _kinds({quantity for _, quantity in cells}):
            size = {name: sum(x * other.groups[group][name, q] for q, x in kind.items()) for name in other.themes}
            for category, parts in one.parts.items():
                # Of each theme its largest subtheme that leads there: that leaves the fewest.
                below = {t: [part for part in parts or led if t in other.above.get(part, ())] for t in other.raised}
                most = {theme: max(some, key=size.__getitem__) for theme, some in below.items() if some}
                fewest = {theme: size[theme] - size.get(most.get(theme, ""), 0) for theme in other.raised}
                above = [other.above.get(part, ()) for part in led if part not in parts]
                elsewhere = {min(themes, key=fewest.__getitem__) for themes in above if themes}
                outside = {ALL: 1, NONE: -1, category: -1}
                ways = [(outside, [*fewest]), (outside | rest, elsewhere)] if parts else [({category: 1}, [*fewest])]
                for who, themes in ways:
                    terms: dict[Figure, float] = defaultdict(float)
                    for quantity, x in kind.items():
                        for name, y in who.items():
                            terms[number, group, (name, quantity)] -= x * y
                        for theme in themes:
                            terms[wider, group, (theme, quantity)] += x
                            if theme in most:
                                terms[wider, group, (most[theme], quantity)] -= x
                    true = {number: cells, wider: other.groups[group]}
                    # A crosswalk may lead from subthemes to the rest too, and rows may have a subtheme and no theme.
                    if sum(x * true[table][cell] for (table, _, cell), x in terms.items()) >= 0:
                        yield terms


def _exact(number: int, one: Tally, tables: Mapping[int, Tally]) -> Iterator[Terms]:
    """Combinations that hold a theme are no more than the cases that raise it; no fewer where all are listed."""
    listed = len(one.raised) == 2 ** len({theme for key in one.raised for theme in key.split("; ")}) - 1
    for wider, other in tables.items():
        if other.exact or other.parts or other.by != one.by:
            continue
        for group in one.groups:
            for theme in other.raised:
                parts = {(number, group, (k, "cases")): -1.0 for k in one.raised if theme in k.split("; ")}
                terms = {**parts, (wider, group, (theme, "cases")): 1.0}
                yield terms
                if listed:
                    yield {figure: -x for figure, x in terms.items()}

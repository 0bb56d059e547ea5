# SPDX-License-Identifier: Apache-2.0
"""What is read out of results: times in relation to nested, means, break-even points."""
import math

CAUSES = ("base", "memory", "translation", "guest_kernel", "exits")


def cycles(result, column):
    return result["columns"][column]["sim.cycles"]


def has(result, column):
    return column in result["columns"]


def relative(result, column, base="nested"):
    """Program time in percent of the base column's."""
    return 100.0 * cycles(result, column) / cycles(result, base)


def by_cause(result, column, base="nested"):
    whole = cycles(result, base)
    return {cause: 100.0 * result["columns"][column].get(f"cycles.{cause}", 0) / whole
            for cause in CAUSES}


def mean(percents):
    """Geometric, of percents of some base."""
    return math.exp(sum(math.log(p) for p in percents) / len(percents))


def better(result, columns=("nested", "shadow")):
    """The column with the fewest cycles."""
    return min((c for c in columns if has(result, c)), key=lambda c: cycles(result, c))


def difference(whole, warm, column, statistic):
    """What the part of a run after its warm-up has of a statistic."""
    return (whole["columns"][column].get(statistic, 0)
            - warm["columns"][column].get(statistic, 0))


class Cell:
    """One cell of the map: what nested and shadow do after the warm-up."""

    def __init__(self, whole, warm):
        self.whole, self.warm = whole, warm
        self.columns = list(whole["columns"])
        self.misses = self.of("nested", "mmu.walks") / (1e-6 * self.of("nested", "sim.references"))
        self.writes = whole["pte_writes"]  # in a million references, as asked for

    def of(self, column, statistic):
        return difference(self.whole, self.warm, column, statistic)

    def time(self, column):
        return self.of(column, "sim.cycles")

    def percent(self, column):
        """How much longer than under nested it takes."""
        return 100.0 * (self.time(column) / self.time("nested") - 1.0)

    def walk_cost(self, column):
        return self.of(column, "mmu.walk_cycles") / max(1, self.of(column, "mmu.walks"))

    def sync_cost(self, column):
        return self.of(column, "cycles.exits") / max(1, self.of(column, "guest.pte_writes"))


def break_even(cells, column):
    """The page-table writes, in a million references, from which on nested is faster; `cells` have
    the same misses, and ever more writes, each of which costs the same. None if shadow never or
    always wins."""
    for low, high in zip(cells, cells[1:]):
        a, b = low.percent(column), high.percent(column)
        if a <= 0 < b:
            return low.writes + (high.writes - low.writes) * a / (a - b)
    return None

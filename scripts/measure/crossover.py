# SPDX-License-Identifier: Apache-2.0
"""Where the border between shadow and nested is: the map, its lines, and sentences."""
import charts
from figures import Cell, break_even
from page import blocks, listed, table


def mean_of(values):
    values = list(values)
    return sum(values) / len(values)


# A row has the same number of instructions to each load or store. Its misses are those of its
# first cell: page-table writes make some more.

def report(files, results, architecture):
    whole = {(r["instructions"], r["pte_writes"]): r for r in results if r["part"] == "whole"}
    warm = {(r["instructions"], r["pte_writes"]): r for r in results if r["part"] == "warm"}
    cells = {key: Cell(whole[key], warm[key]) for key in whole}
    rows = {}
    for (instructions, _), cell in sorted(cells.items()):
        rows.setdefault(instructions, []).append(cell)
    everything = [cell for row in rows.values() for cell in row]
    saved = mean_of(c.walk_cost("nested") - c.walk_cost("shadow") for c in everything)
    price = mean_of(c.whole["sync_price"] for c in everything)
    # where there are enough writes to tell the price of one
    paid = mean_of(row[-1].sync_cost("shadow") for row in rows.values())
    columns = [c for c in ("shadow", "shadow+all") if c in everything[0].columns]
    lines = [(f"measured break-even, {column}",
              [(row[0].misses, at) for row in rows.values()
               if (at := break_even(row, column))], 0) for column in columns]
    ends = [f(row[0].misses for row in rows.values()) for f in (min, max)]
    lines += [("break-even rule, price of a trapped write", [(x, x * saved / price)
                                                             for x in ends], 2),
              ("break-even rule, all that a write leads to", [(x, x * saved / paid)
                                                              for x in ends], 3)]
    charts.crossover(files.path("map.svg", architecture),
                     f"Shadow or nested? (plain shadow, {architecture.first})",
                     [(row[0].misses, c.writes, c.percent("shadow"))
                      for row in rows.values() for c in row],
                     [line for line in lines if line[1]])
    map_table(files, rows, architecture)
    return blocks(architecture, map=listed(
        map_sentences(rows, columns, saved, price, paid)))


def map_table(files, rows, architecture):
    with open(files.path("map.md", architecture), "w") as file:
        file.write("# The map in figures\n\nPercent by which shadow takes more (+) or less (-) "
                   "time than nested; in brackets shadow with all options. Made by `make "
                   "experiments`; see [experiments](../experiments.md).\n\n")
        heads = ["misses \\ writes"] + [f"{c.whole['pte_writes']}" for c in
                                        next(iter(rows.values()))]
        body = []
        for row in rows.values():
            body.append([f"{row[0].misses:.0f}"] + [
                f"{c.percent('shadow'):+.1f}" + (
                    f" ({c.percent('shadow+all'):+.1f})" if "shadow+all" in c.columns else "")
                for c in row])
        file.write(table(heads, body) + "\n")


def map_sentences(rows, columns, saved, price, paid):
    lines = [f"A walk costs {saved:.0f} cycles less under shadow; a trapped page-table write "
             f"is priced at {price:.0f} cycles, and leads to {paid:.0f} cycles of exits in "
             "all (the faults that refill what it dropped, maintenance, and the system calls "
             "of the program that asked for it)."]
    for column in columns:
        ratios = [(at / row[0].misses) for row in rows.values()
                  if (at := break_even(row, column))]
        if ratios:
            lines.append(
                f"Measured, `{column}` and nested break even at one page-table write for "
                f"every {1 / max(ratios):.0f} to {1 / min(ratios):.0f} TLB misses; the rule "
                f"says {price / saved:.0f} by the price of the write alone, "
                f"{paid / saved:.0f} with all that it leads to under plain shadow.")
    for column in ("selective", "agile"):
        cells = [c for row in rows.values() for c in row if column in c.columns]
        if cells:
            worst = max(100.0 * c.time(column) / min(c.time("nested"), c.time("shadow"))
                        for c in cells) - 100
            best = min(100.0 * c.time(column) / min(c.time("nested"), c.time("shadow"))
                       for c in cells) - 100
            lines.append(f"`{column}` lies between {best:+.1f} % and {worst:+.1f} % of the "
                         f"better of nested and plain shadow over the {len(cells)} cells.")
    return lines

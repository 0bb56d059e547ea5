# SPDX-License-Identifier: Apache-2.0
"""Tables, charts and sentences from results. What they say follows from the figures alone."""
import os
import re

import charts
import plan
from figures import Cell, better, break_even, by_cause, has, mean, relative

NEAR = 2.0  # percent: "as fast as"


def names(items):
    items = list(items)
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def count_of(count, whole):
    return f"{'all' if count == whole else 'none' if count == 0 else count} of {whole}"


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |",
             "| " + " | ".join(["---"] + ["---:"] * (len(heads) - 1)) + " |"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def gap_by_cause(result):
    """Shadow minus nested, in percent of nested's time."""
    nested = by_cause(result, "nested")
    return {cause: percent - nested[cause]
            for cause, percent in by_cause(result, "shadow").items()}


def listed(lines):
    return "\n".join(f"- {line}" for line in lines)


def columns_of(results):
    return [c.name for c in plan.PROGRAM_COLUMNS if has(results[0], c.name)]


def goals(machines):
    """What was hoped for, and what has been measured, over all machines."""
    everything = [r for results in machines.values() for r in results]
    def against(column):
        return [(relative(r, column, better(r)) - 100, r) for r in everything]
    def place(pair):
        return f"{pair[0]:+.1f} % ({pair[1]['workload']}, {pair[1]['machine']})"
    def worst(column):
        return place(max(against(column), key=lambda pair: pair[0]))
    rows = []
    if has(everything[0], "selective"):
        phased = [pair for pair in against("selective") if pair[1]["workload"] in plan.PHASED]
        less = mean([relative(r, "selective", "selective-threshold") for r in everything])
        lost = sum(relative(r, "selective", "selective-threshold") > 100 for r in everything)
        rows += [["selective at most 2 % above the better of nested and shadow, everywhere",
                  f"{worst('selective')} at worst"],
                 ["selective below both where programs have phases",
                  names(place(pair) for pair in phased) if phased else "none was run"],
                 ["the break-even policy beats thresholds",
                  f"on {len(everything) - lost} of {len(everything)}; {less - 100:+.1f} % in the "
                  "mean"]]
    if has(everything[0], "agile"):
        rows += [["agile at least 12 % below the better of nested and shadow somewhere",
                  place(min(against("agile"), key=lambda pair: pair[0]))],
                 ["agile at most 2 % above it, everywhere", f"{worst('agile')} at worst"]]
    return table(["goal", "measured"], rows)


class Report:
    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def file(self, name, architecture):
        """Charts and tables of an architecture that is not the first have its name in theirs."""
        stem, ending = os.path.splitext(name)
        return os.path.join(self.folder, stem + architecture.suffix + ending)

    @staticmethod
    def blocks(architecture, **texts):
        """{marker: text} for docs/experiments.md."""
        return {name + architecture.suffix: text for name, text in texts.items()}

    # -- programs -----------------------------------------------------------------------------

    def programs(self, results, architecture):
        """Writes programs.md and charts."""
        machines = {}
        for result in results:
            machines.setdefault(result["machine"], []).append(result)
        self._program_tables(machines, architecture)
        first = machines.get(architecture.first, results)
        columns = columns_of(first)
        modes = [c for c in ("native", "nested", "shadow", "shadow+all", "selective", "agile")
                 if c in columns]
        charts.differences(
            self.file("causes.svg", architecture),
            "What plain shadow paging adds to nested paging's time, and what it saves",
            [(r["workload"], gap_by_cause(r)) for r in
             sorted(first, key=lambda r: relative(r, "shadow"))])
        charts.stacked_bars(
            self.file("modes.svg", architecture),
            f"Where program time goes, by paging mode (bars are cut off at {charts.CUT})",
            [(r["workload"], {c: by_cause(r, c) for c in modes}) for r in first], modes)
        options = [c for c in columns if c.startswith("shadow")]
        worst = sorted(first, key=lambda r: -relative(r, "shadow"))[:5]
        charts.stacked_bars(
            self.file("options.svg", architecture),
            "Shadow paging's options where it suffers most",
            [(r["workload"], {c: by_cause(r, c, "shadow") for c in options}) for r in worst],
            options, "shadow", in_row=3)
        return self.blocks(
            architecture, goals=goals(machines), programs=listed(
                self._mode_sentences(first) + self._machine_sentences(machines)),
            options=self._option_table(first, options, architecture.large,
                                       machines.get(architecture.large)))

    def _program_tables(self, machines, architecture):
        with open(self.file("programs.md", architecture), "w") as file:
            file.write("# Program time under every mode and option\n\nNested is 100. Made by "
                       "`make experiments`; see [experiments](../experiments.md).\n")
            for machine, results in machines.items():
                columns = columns_of(results)
                rows = [[r["workload"]] + [f"{relative(r, c):.1f}" for c in columns]
                        for r in results]
                rows.append(["*mean*"] + [f"{mean([relative(r, c) for r in results]):.1f}"
                                          for c in columns])
                file.write(f"\n## {machine}\n\n{plan.MACHINES[machine].about.capitalize()}.\n\n"
                           f"{table(['program'] + columns, rows)}\n")

    @staticmethod
    def _mode_sentences(results):
        shadow = [r for r in results if relative(r, "shadow") < 100]
        lines = [
            f"Of nested and a plain shadow pager, shadow is the faster on "
            f"{count_of(len(shadow), len(results))} programs"
            + (": " + names(f"{r['workload']} ({relative(r, 'shadow') - 100:+.0f} %)"
                            for r in shadow) if shadow else "") + ".",
            f"Over native, nested takes "
            f"{mean([relative(r, 'nested', 'native') for r in results]) - 100:.1f} % more in the "
            f"geometric mean, plain shadow "
            f"{mean([relative(r, 'shadow', 'native') for r in results]) - 100:.0f} %.",
        ]
        for column in ("shadow+all", "shadow+all+pv"):
            if has(results[0], column):
                wins = [r for r in results if relative(r, column) < 100]
                lines.append(
                    f"`{column}` takes "
                    f"{100 - mean([relative(r, column, 'shadow') for r in results]):.0f} % less "
                    f"than plain shadow in the mean, and is faster than nested on "
                    f"{count_of(len(wins), len(results))} programs"
                    + (": " + names(r["workload"] for r in wins) if wins else "") + ".")
        for column in ("selective-threshold", "selective", "agile"):
            if has(results[0], column):
                lines.append(Report._chooser_sentence(results, column))
        return lines

    @staticmethod
    def _chooser_sentence(results, column):
        """Against the better of nested and plain shadow, known only afterwards."""
        against = [(relative(r, column, better(r)) - 100, r) for r in results]
        near = [r for percent, r in against if percent <= NEAR]
        gains = [f"{r['workload']} ({percent:+.1f} %)" for percent, r in against
                 if percent < -0.05]
        worst, loser = max(against, key=lambda pair: pair[0])
        return (f"`{column}`: within {NEAR:.0f} % of the better of nested and shadow, or below, "
                f"on {count_of(len(near), len(results))} programs; below it on "
                f"{names(gains) if gains else 'none'}; at worst {worst:+.1f} % "
                f"({loser['workload']}).")

    @staticmethod
    def _machine_sentences(machines):
        lines = []
        for name, results in machines.items():
            over = mean([relative(r, "nested", "native") for r in results]) - 100
            shadow = mean([relative(r, "shadow") for r in results])
            wins = sum(relative(r, "shadow") < 100 for r in results)
            lines.append(f"{name}: nested takes {over:.1f} % more than native, plain shadow "
                         f"{shadow:.0f} % of nested (means); shadow is the faster on {wins}.")
        return lines if len(machines) > 1 else []

    @staticmethod
    def _option_table(results, columns, name, large):
        """`large`: results with large stage-2 pages, of the machine `name`, or None."""
        def change(run, column):
            if not has(run[0], column):
                return ""
            return f"{mean([relative(r, column, 'shadow') for r in run]) - 100:+.1f} %"
        about = {c.name: c.about for c in plan.PROGRAM_COLUMNS}
        rows = []
        for column in columns[1:]:
            ratios = [(relative(r, column, "shadow") - 100, r["workload"]) for r in results]
            least, most = min(ratios), max(ratios)
            rows.append([f"`{column}`", about[column], change(results, column),
                         f"{least[0]:+.1f} % ({least[1]})", f"{most[0]:+.1f} % ({most[1]})"]
                        + ([change(large, column)] if large else []))
        heads = ["column", "what", "mean", "best", "worst"]
        return table(heads + ([f"mean, {name}"] if large else []), rows)

    # -- map ----------------------------------------------------------------------------------

    # A row has the same number of instructions to each load or store. Its misses are those of its
    # first cell: page-table writes make some more.

    def map(self, results, architecture):
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
        charts.crossover(self.file("map.svg", architecture),
                         f"Shadow or nested? (plain shadow, {architecture.first})",
                         [(row[0].misses, c.writes, c.percent("shadow"))
                          for row in rows.values() for c in row],
                         [line for line in lines if line[1]])
        self._map_table(rows, architecture)
        return self.blocks(architecture, map=listed(
            self._map_sentences(rows, columns, saved, price, paid)))

    def _map_table(self, rows, architecture):
        with open(self.file("map.md", architecture), "w") as file:
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

    @staticmethod
    def _map_sentences(rows, columns, saved, price, paid):
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

    # -- prices -------------------------------------------------------------------------------

    def prices(self, results, architecture):
        columns = [c.name for c in plan.RIVALS if has(results[0], c.name)]
        panels, rows = [], []
        for price in plan.PRICES:
            curves = {c: [] for c in columns}
            for factor in plan.FACTORS:
                chosen = [r for r in results if r["factor"] == factor
                          and r["price"] in (price, "none")]
                for c in columns:
                    curves[c].append(mean([relative(r, c) for r in chosen]))
                wins = [better(r, columns) for r in chosen]
                rows.append([price, f"{factor:g}"] + [str(wins.count(c)) for c in columns]
                            + [f"{curves[c][-1]:.0f}" for c in columns])
            panels.append((price, curves))
        charts.price_lines(self.file("prices.svg", architecture),
                           "Program time as exits get cheaper or dearer", plan.FACTORS, panels,
                           columns)
        heads = ["price", "times"] + [f"{c} wins" for c in columns] + [f"{c}" for c in columns]
        with open(self.file("prices.md", architecture), "w") as file:
            file.write("# Who wins at which price\n\nHow many programs each mode is the fastest "
                       "on, and its mean time with nested as 100 (at the same prices). Made by "
                       "`make experiments`; see [experiments](../experiments.md).\n\n"
                       + table(heads, rows) + "\n")
        return self.blocks(architecture, prices=listed(self._price_sentences(results, panels)))

    @staticmethod
    def _price_sentences(results, panels):
        lines = []
        for price, curves in panels:
            parts = [f"`{c}` from {curve[0]:.0f} to {curve[-1]:.0f}"
                     for c, curve in curves.items() if c != "nested"]
            lines.append(f"{price}, from a quarter to four times: " + names(parts)
                         + " (mean time, nested = 100).")
        turned = set()
        for price in plan.PRICES:
            for workload in {r["workload"] for r in results}:
                winners = {better(r, ("nested", "shadow")) for r in results
                           if r["workload"] == workload and r["price"] in (price, "none")}
                if len(winners) > 1:
                    turned.add(workload)
        lines.append("Between nested and plain shadow, some price in that range turns the answer "
                     f"for {names(sorted(turned)) if turned else 'no program'}.")
        worst = max(((relative(r, c, better(r)) - 100, c, r) for r in results
                     for c in ("selective", "agile") if has(r, c)), key=lambda found: found[0])
        return lines + [f"Over all those prices, selective and agile stay within {worst[0]:.1f} % "
                        f"of the better of nested and plain shadow (worst: `{worst[1]}` on "
                        f"{worst[2]['workload']}, {worst[2]['price']} x "
                        f"{worst[2]['factor']:g})."]

    # -- same-page merging --------------------------------------------------------------------

    def merging(self, results, architecture):
        rows = []
        for result in results:
            for base in (column.mode for column in plan.BASE[1:]):
                for sleep in plan.MERGING_SLEEPS:
                    rows.append(self._merging_row(result, base, sleep))
        heads = ["program", "paging", "sleep", "scanned", "merged", "broken", "saved, KB",
                 "scanner, % of time", "program time, %", "shadow entries found"]
        return self.blocks(architecture, merging=table(heads, rows))

    @staticmethod
    def _merging_row(result, base, sleep):
        name = f"{base} {sleep}"
        statistics = result["columns"][name]
        share = 100.0 * statistics.get("hypervisor.cycles.ksm", 0) / statistics["sim.cycles"]
        return ([result["workload"], base, sleep]
                + [f"{statistics.get(f'ksm.{key}', 0)}" for key in ("scanned", "merged", "broken")]
                + [f"{statistics.get('ksm.bytes_saved_peak', 0) / 1024:.0f}", f"{share:.1f}",
                   f"{relative(result, name, base) - 100:+.1f}",
                   f"{statistics.get('shadow.rmap_walks', 0)}"])


def mean_of(values):
    values = list(values)
    return sum(values) / len(values)


def fill_in(path, blocks):
    """Replaces what stands between <!-- NAME --> and <!-- end --> in a text."""
    with open(path) as file:
        page = file.read()
    for name, block in blocks.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        page = re.sub(pattern, lambda match, block=block: match[1] + block + "\n" + match[2],
                      page, flags=re.S)
    with open(path, "w") as file:
        file.write(page)

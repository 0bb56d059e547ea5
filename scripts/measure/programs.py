# SPDX-License-Identifier: Apache-2.0
"""What each paging mode costs each program: tables, charts and sentences from the results."""
import charts
import plan
from figures import better, by_cause, has, mean, relative
from page import blocks, count_of, listed, names, table

NEAR = 2.0  # percent: "as fast as"


def gap_by_cause(result):
    """Shadow minus nested, in percent of nested's time."""
    nested = by_cause(result, "nested")
    return {cause: percent - nested[cause]
            for cause, percent in by_cause(result, "shadow").items()}


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


def report(files, results, architecture):
    """Writes programs.md and charts."""
    machines = {}
    for result in results:
        machines.setdefault(result["machine"], []).append(result)
    program_tables(files, machines, architecture)
    first = machines.get(architecture.first, results)
    columns = columns_of(first)
    modes = [c for c in ("native", "nested", "shadow", "shadow+all", "selective", "agile")
             if c in columns]
    charts.differences(
        files.path("causes.svg", architecture),
        "What plain shadow paging adds to nested paging's time, and what it saves",
        [(r["workload"], gap_by_cause(r)) for r in
         sorted(first, key=lambda r: relative(r, "shadow"))])
    charts.stacked_bars(
        files.path("modes.svg", architecture),
        f"Where program time goes, by paging mode (bars are cut off at {charts.CUT})",
        [(r["workload"], {c: by_cause(r, c) for c in modes}) for r in first], modes)
    options = [c for c in columns if c.startswith("shadow")]
    worst = sorted(first, key=lambda r: -relative(r, "shadow"))[:5]
    charts.stacked_bars(
        files.path("options.svg", architecture),
        "Shadow paging's options where it suffers most",
        [(r["workload"], {c: by_cause(r, c, "shadow") for c in options}) for r in worst],
        options, "shadow", in_row=3)
    return blocks(
        architecture, goals=goals(machines), programs=listed(
            mode_sentences(first) + machine_sentences(machines)),
        options=option_table(first, options, architecture.large,
                             machines.get(architecture.large)))


def program_tables(files, machines, architecture):
    with open(files.path("programs.md", architecture), "w") as file:
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


def mode_sentences(results):
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
            lines.append(chooser_sentence(results, column))
    return lines


def chooser_sentence(results, column):
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


def machine_sentences(machines):
    lines = []
    for name, results in machines.items():
        over = mean([relative(r, "nested", "native") for r in results]) - 100
        shadow = mean([relative(r, "shadow") for r in results])
        wins = sum(relative(r, "shadow") < 100 for r in results)
        lines.append(f"{name}: nested takes {over:.1f} % more than native, plain shadow "
                     f"{shadow:.0f} % of nested (means); shadow is the faster on {wins}.")
    return lines if len(machines) > 1 else []


def option_table(results, columns, name, large):
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

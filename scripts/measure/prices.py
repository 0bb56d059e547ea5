# SPDX-License-Identifier: Apache-2.0
"""Whether the ranking of the modes hangs on the prices of exits."""
import charts
import plan
from figures import better, has, mean, relative
from page import blocks, listed, names, table


def report(files, results, architecture):
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
    charts.price_lines(files.path("prices.svg", architecture),
                       "Program time as exits get cheaper or dearer", plan.FACTORS, panels,
                       columns)
    heads = ["price", "times"] + [f"{c} wins" for c in columns] + [f"{c}" for c in columns]
    with open(files.path("prices.md", architecture), "w") as file:
        file.write("# Who wins at which price\n\nHow many programs each mode is the fastest "
                   "on, and its mean time with nested as 100 (at the same prices). Made by "
                   "`make experiments`; see [experiments](../experiments.md).\n\n"
                   + table(heads, rows) + "\n")
    return blocks(architecture, prices=listed(price_sentences(results, panels)))


def price_sentences(results, panels):
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

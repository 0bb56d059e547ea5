# SPDX-License-Identifier: Apache-2.0
"""What merging of equal pages saves and costs."""
import plan
from figures import relative
from page import blocks, table


def report(files, results, architecture):
    rows = []
    for result in results:
        for base in (column.mode for column in plan.BASE[1:]):
            for sleep in plan.MERGING_SLEEPS:
                rows.append(merging_row(result, base, sleep))
    heads = ["program", "paging", "sleep", "scanned", "merged", "broken", "saved, KB",
             "scanner, % of time", "program time, %", "shadow entries found"]
    return blocks(architecture, merging=table(heads, rows))


def merging_row(result, base, sleep):
    name = f"{base} {sleep}"
    statistics = result["columns"][name]
    share = 100.0 * statistics.get("hypervisor.cycles.ksm", 0) / statistics["sim.cycles"]
    return ([result["workload"], base, sleep]
            + [f"{statistics.get(f'ksm.{key}', 0)}" for key in ("scanned", "merged", "broken")]
            + [f"{statistics.get('ksm.bytes_saved_peak', 0) / 1024:.0f}", f"{share:.1f}",
               f"{relative(result, name, base) - 100:+.1f}",
               f"{statistics.get('shadow.rmap_walks', 0)}"])

# SPDX-License-Identifier: Apache-2.0
"""What is run: columns, machines, grids. Data; the rest of the folder knows no names of its own.

A column is a name, a paging mode, and keys of the machine file that are set for it alone.
"""
import re
from typing import NamedTuple

MACHINE = "cortex-a15"
SHADOW = "hypervisor.shadow."


class Column(NamedTuple):
    name: str
    mode: str
    sets: tuple = ()
    about: str = ""


def shadow(name, about, *options):
    return Column(name, "shadow", tuple(SHADOW + option for option in options), about)


ALL_OPTIONS = ("sync=update", "unsync=true", "prefetch=8", "large_pages=true")

BASE = (
    Column("native", "native"),
    Column("nested", "nested"),
    Column("shadow", "shadow"),
)

# Each shadow optimisation alone; the first two are in a plain shadow pager and are taken away.
OPTIONS = (
    shadow("shadow-roots", "without keeping the tables of roots that are not loaded",
           "cache_roots=false"),
    shadow("shadow-flood", "without giving up tables that are written again and again", "flood=0"),
    shadow("shadow+update", "a trapped store rewrites shadow entries at once", "sync=update"),
    shadow("shadow+unsync", "last-level tables out of step until maintenance", "unsync=true"),
    shadow("shadow+prefetch", "8 neighbours filled each way", "prefetch=8"),
    shadow("shadow+large", "shadow leaves as large as both stages allow", "large_pages=true"),
    shadow("shadow+paravirtual", "a guest that sends its updates in batches", "paravirtual=true"),
)

ALL = shadow("shadow+all", "all of these, the guest as it is", *ALL_OPTIONS)

TOGETHER = (
    ALL,
    shadow("shadow+all+pv", "all of these, with a paravirtual guest", *ALL_OPTIONS,
           "paravirtual=true"),
)

SELECTIVE = Column("selective", "selective", ("hypervisor.selective.policy=break_even",),
                   "switches by estimating what the other mode would have cost")

CHOOSERS = (
    Column("selective-threshold", "selective", ("hypervisor.selective.policy=threshold",),
           "switches at thresholds of overhead"),
    SELECTIVE,
    Column("agile", "agile", (), "shadow above, nested below, in one walk"),
)

PROGRAM_COLUMNS = BASE + OPTIONS + TOGETHER + CHOOSERS

# Those between which the map and the prices decide.
RIVALS = (BASE[1], BASE[2], ALL, SELECTIVE, CHOOSERS[2])

FORMATS = {"lpae": "long descriptors, three levels", "short": "short descriptors, two levels"}
STAGE2 = {"4K": "[4K]", "2M": "[4K, 2M]"}
MACHINES = {
    f"{format}-{pages}": (f"format={format}", f"hypervisor.stage2_pages={value}")
    for format in FORMATS for pages, value in STAGE2.items()
}
FIRST_MACHINE, LARGE_MACHINE = "lpae-4K", "lpae-2M"

# Made, not recorded: a program whose phases suit shadow and nested in turn.
SYNTHETIC = {
    "two-phases": ["--references=60000000", "--phases=references=10000000,footprint=16M/"
                   "references=5000000,footprint=1M,pte-writes=4000"],
}

# -- the map ------------------------------------------------------------------------------------

MAP_FOOTPRINT = "16M"
MAP_WARM = 60000  # loads and stores until every page has been touched, and some more
MAP_INSTRUCTIONS = (3, 7, 15, 31, 63, 127, 255, 511)  # to each load or store, hence to each miss
MAP_PTE_WRITES = (10, 30, 100, 300, 1000, 3000, 10000, 30000)  # per million references
MAP_BATCH = 4
MAP_LEAST = 8000000  # references of a cell


def map_references(instructions, least):
    """(warm-up, all) of a cell: `least` references, and no fewer loads and stores than a fortieth
    of that."""
    data = max(least // 40, least // (instructions + 1))
    return MAP_WARM * (instructions + 1), (MAP_WARM + data) * (instructions + 1)


# -- prices -------------------------------------------------------------------------------------

FACTORS = (0.25, 0.5, 1, 2, 4)
PRICES = {
    "trap": r"trap",
    "world switch": r"world_switch",
    "handlers": r"handler\..*|shadow\.steps\..*",
    "all of them": r"trap|world_switch|handler\..*|shadow\.steps\..*",
}


def exit_prices(text):
    """{key: cycles} of the prices in the section `hypervisor` of a machine file."""
    prices, path = {}, []
    for line in text.splitlines():
        match = re.match(r"( *)(\w+):\s*(\d+)?\s*(#.*)?$", line)
        if not match:
            continue
        path = path[:len(match[1]) // 2] + [match[2]]
        key = ".".join(path[1:])
        if path[0] == "hypervisor" and match[3] and re.fullmatch(PRICES["all of them"], key):
            prices[key] = int(match[3])
    return prices


def price_sets(prices, which, factor):
    """The keys to set when one kind of price is multiplied."""
    return tuple(f"hypervisor.{key}={round(cycles * factor)}" for key, cycles in prices.items()
                 if re.fullmatch(PRICES[which], key))

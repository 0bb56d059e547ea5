# SPDX-License-Identifier: Apache-2.0
"""What is run: columns, machines, grids. Data; the rest of the folder knows no names of its own.

A column is a name, a paging mode, and keys of the machine file that are set for it alone. A machine
runs the workloads of its architecture, for which each is recorded of its own.
"""
import re
from typing import NamedTuple

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
    shadow("shadow+direct", "faults on what the guest does not map go to it without an exit (Intel)",
           "direct_faults=true"),
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
MODE_COLUMNS = BASE + (ALL,) + CHOOSERS
LARGE_COLUMNS = BASE + (OPTIONS[5], ALL) + CHOOSERS  # what large host pages matter to

# Those between which the map and the prices decide.
RIVALS = (BASE[1], BASE[2], ALL, SELECTIVE, CHOOSERS[2])


class Machine(NamedTuple):
    file: str  # in configs/machines
    architecture: str  # of its workloads
    sets: tuple
    columns: tuple  # what is tried on it
    about: str


def cortex_a15(format, pages, columns, about):
    return Machine("cortex-a15", "armv7", (f"format={format}", f"hypervisor.stage2_pages={pages}"),
                   columns, about)


def skylake(pages, columns, about):
    return Machine("skylake", "x86-64", (f"hypervisor.stage2_pages={pages}",), columns, about)


# The options are tried on one of each architecture.
MACHINES = {
    "lpae-4K": cortex_a15("lpae", "[4K]", PROGRAM_COLUMNS,
                          "long descriptors, three levels, over stage-2 pages of 4 KB"),
    "lpae-2M": cortex_a15("lpae", "[4K, 2M]", LARGE_COLUMNS,
                          "the same over stage-2 blocks of 2 MB"),
    "short-4K": cortex_a15("short", "[4K]", MODE_COLUMNS,
                           "short descriptors, two levels, over stage-2 pages of 4 KB"),
    "short-2M": cortex_a15("short", "[4K, 2M]", MODE_COLUMNS,
                           "the same over stage-2 blocks of 2 MB"),
    "skylake-4K": skylake("[4K]", PROGRAM_COLUMNS, "four levels over an EPT with pages of 4 KB"),
    "skylake-2M": skylake("[4K, 2M]", LARGE_COLUMNS, "the same over EPT pages of 2 MB"),
}


class Architecture(NamedTuple):
    first: str  # machine of the charts, the map, the prices and page merging
    large: str  # machine with large stage-2 pages, for the table of options
    suffix: str  # of its charts and of its markers in docs/experiments.md


ARCHITECTURES = {
    "armv7": Architecture("lpae-4K", "lpae-2M", ""),
    "x86-64": Architecture("skylake-4K", "skylake-2M", "-x86"),
}

# Made, not recorded, for each architecture: a program whose phases suit shadow and nested in turn.
SYNTHETIC = {
    "two-phases": ["--references=60000000", "--phases=references=10000000,footprint=16M/"
                   "references=5000000,footprint=1M,pte-writes=4000"],
}

PHASED = ("phases", "two-phases")

# -- the map ------------------------------------------------------------------------------------

MAP_FOOTPRINT = "16M"
MAP_WARM = 60000  # loads and stores until every page has been touched, and some more
MAP_INSTRUCTIONS = (3, 7, 15, 31, 63, 127, 255)  # to each load or store, hence to each miss
MAP_PTE_WRITES = (10, 30, 100, 300, 1000, 3000, 10000, 30000)  # per million references
MAP_BATCH = 4
MAP_LEAST = 4000000  # references of a cell


def map_references(instructions, least):
    """(warm-up, all) of a cell: `least` references, and no fewer loads and stores than an eightieth
    of that."""
    data = max(least // 80, least // (instructions + 1))
    return MAP_WARM * (instructions + 1), (MAP_WARM + data) * (instructions + 1)


# -- prices -------------------------------------------------------------------------------------

FACTORS = (0.25, 1, 4)
ALL_PRICES = r"trap|world_switch|handler\..*|shadow\.steps\..*"
PRICES = {
    "trap": r"trap",
    "world switch": r"world_switch",
    "handlers": r"handler\..*|shadow\.steps\..*",
    "all of them": ALL_PRICES,
}
PRICE_REFERENCES = 12000000  # of each program, from its start


def exit_prices(text):
    """{key: cycles} of the prices in the section `hypervisor` of a machine file."""
    prices, path = {}, []
    for line in text.splitlines():
        match = re.match(r"( *)(\w+):\s*(\d+)?\s*(#.*)?$", line)
        if not match:
            continue
        path = path[:len(match[1]) // 2] + [match[2]]
        key = ".".join(path[1:])
        if path[0] == "hypervisor" and match[3] and re.fullmatch(ALL_PRICES, key):
            prices[key] = int(match[3])
    return prices


def price_sets(prices, which, factor):
    """The keys to set when one kind of price is multiplied."""
    return tuple(f"hypervisor.{key}={round(cycles * factor)}" for key, cycles in prices.items()
                 if re.fullmatch(PRICES[which], key))


# -- same-page merging --------------------------------------------------------------------------

MERGING_WORKLOADS = ("crowd", "shell")
# How long the scanner sleeps between 100 pages, in cycles. Linux's default is 20 ms, for which the
# traces are too short.
MERGING_SLEEPS = {"10 ms": 17000000, "1 ms": 1700000, "0.1 ms": 170000}


def merging(mode, sleep):
    return Column(f"{mode} {sleep}", mode, ("hypervisor.ksm.pages=100",
                                            f"hypervisor.ksm.interval={MERGING_SLEEPS[sleep]}"))


MERGING_COLUMNS = BASE[1:] + tuple(merging(column.mode, sleep) for column in BASE[1:]
                                   for sleep in MERGING_SLEEPS)

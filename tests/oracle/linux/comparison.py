# SPDX-License-Identifier: Apache-2.0
"""The model's answers against the machine's, for the tables of one stopped machine.

Every page of the 32-bit address space is asked for with a privileged read. Pages for which either
side says anything but "translation fault", the pages beside them, and every 13th other page are
asked for with the other accesses as well, and some of them are really fetched from. Where there
are two stages, the same pages are asked for stage 1 alone, and at last, stage 1 switched off, every
page of 4 GB of IPA for stage 2 alone.
"""
import collections
import os

from answers import (ACCESSES, FETCHES, PIECE, answer, fetch_answer, model_answers, pieces_read,
                     reduced)
from probe import BOTH_STAGES
from qemu import Failure

PAGE = 4096
PAGES = range(0, 1 << 32, PAGE)
SHORT_NAMES = {"MAIR0": "PRRR", "MAIR1": "NMRR"}
WIDE = ("VTTBR", "TTBR0", "TTBR1")


class Pass:
    """Queries of one kind, with the machine's and the model's answers."""

    def __init__(self, walk, access, pages, answers):
        self.walk, self.access, self.pages, self.answers = walk, access, pages, answers
        self.model = []

    def lines(self):
        yield f"walk {self.walk}\n"
        for page in self.pages:
            yield f"q {self.access} 0x{page:08x}\n"

    def asked_once_more(self):
        """The pages that the other accesses are tried on."""
        unmapped = "type=translation"
        mapped = {page for page, machine, model in zip(self.pages, self.answers, self.model)
                  if unmapped not in machine or unmapped not in model}
        beside = {page + step for page in mapped for step in (-PAGE, PAGE)}
        return sorted((mapped | beside | set(PAGES[::13])).intersection(PAGES))


class Comparison:
    def __init__(self, folder, nestwalk, regime, memory, probe):
        self.folder, self.nestwalk, self.regime, self.memory = folder, nestwalk, regime, memory
        self.probe = probe
        self.stages = 2 if regime.endswith("+s2") else 1
        (name, start), = memory.items()
        self.ram = (start, start + os.path.getsize(f"{folder}/{name}"))
        self.passes = []
        self.differences = []
        self.registers = probe.registers()

    def head(self, memory):
        """The case file but for its queries."""
        yield f"format 1\nregime {self.regime}\n"
        for name, address in memory.items():
            yield f"mem {name}@0x{address:x}\n"
        for name, value in self.registers.items():
            if "short" in self.regime:
                name = SHORT_NAMES.get(name, name)
            width = 16 if name in WIDE and (value >> 32 or "lpae" in self.regime) else 8
            yield f"reg {name} 0x{value:0{width}x}\n"

    def ask(self, walk, access, pages):
        """`access` is an index of ACCESSES."""
        both = walk != "s1" and self.stages == 2
        operation = access | (BOTH_STAGES if both else 0)
        long_stage1 = "lpae" in self.regime and walk != "s2"
        known = {}
        answers = []
        for par in self.probe.translate([page | operation for page in pages]):
            text = known.get(par)
            if text is None:
                text = known[par] = answer(par, long_stage1, both)
            answers.append(text)
        return self._judge(Pass(walk, ACCESSES[access], pages, answers))

    def _judge(self, asked):
        case = f"{self.folder}/case"
        with open(case, "w") as file:
            file.writelines(self.head(self.memory))
            file.writelines(asked.lines())
        asked.model = list(model_answers(self.nestwalk, case))
        if len(asked.model) != len(asked.pages):
            raise Failure(f"{len(asked.model)} answers to {len(asked.pages)} queries")
        for page, machine, model in zip(asked.pages, asked.answers, asked.model):
            if not model.startswith(machine + " ") and reduced(model, machine) != machine:
                self.differences.append(
                    f"walk {asked.walk}: q {asked.access} 0x{page:08x}\n"
                    f"  model   {model}\n  machine {machine}\n")
        self.passes.append(asked)
        return asked

    def _fetch_all(self, pages):
        """Real fetches, but not from tables: nothing can be planted there."""
        tables = self._tables(pages)
        known = {page: text for page, text in zip(self.passes[0].pages, self.passes[0].answers)}
        memory = {page: self._memory_of(known[page]) for page in pages}
        pages = [page for page in pages if memory[page] is None or
                 not tables.intersection(range(memory[page], memory[page] + PAGE, PIECE))]
        for privileged, access in enumerate(FETCHES):
            ends = self.probe.fetch(pages, privileged, memory)
            self._judge(Pass("s12", access, pages, [fetch_answer(*end) for end in ends]))

    def _memory_of(self, text):
        """The address that a translation gives, if it is RAM's."""
        if not text.startswith("ok "):
            return None
        address = int(text.split()[1].removeprefix("pa="), 16)
        return address if self.ram[0] <= address < self.ram[1] else None

    def _tables(self, pages):
        case = f"{self.folder}/case"
        with open(case, "w") as file:
            file.writelines(self.head(self.memory))
            file.writelines(f"q r priv 0x{page:08x}\n" for page in pages)
        return {piece * PIECE for piece in pieces_read(self.nestwalk, case)}

    def ask_all(self):
        first = self.ask("s12", 0, PAGES)
        pages = first.asked_once_more()
        for access in (1, 2, 3):
            self.ask("s12", access, pages)
        self._fetch_all(chosen_pages(self.passes, 17, 997))
        if self.stages == 2:
            for access in range(4):
                self.ask("s1", access, pages)
            self.probe.stage1_off()
            for access in (0, 1):
                self.ask("s2", access, PAGES)

    def sampled(self):
        """The queries that are kept, with the machine's answers."""
        for walk, every, every_fault in (("s12", 31, 997), ("s1", 101, 3001), ("s2", 211, 9973)):
            passes = [each for each in self.passes if each.walk == walk]
            if not passes:
                continue
            pages = set(chosen_pages(passes, every, every_fault))
            yield f"walk {walk}\n"
            for each in passes:
                for page, machine in zip(each.pages, each.answers):
                    if page in pages:
                        yield f"q {each.access} 0x{page:08x} -> {machine}\n"

    def report(self, name, boot, total):
        asked = sum(len(each.pages) for each in self.passes)
        print(f"{name}: {asked} queries compared, {len(self.differences)} differences; "
              f"{boot:.0f} s to boot, {total:.0f} s in all")
        for each in self.passes:
            kinds = collections.Counter(map(kind, each.model))
            text = ", ".join(f"{count} {what}" for what, count in sorted(kinds.items()))
            print(f"  {each.walk} {each.access}: {len(each.pages)} pages: {text}")
        if self.stages == 2:
            print(f"  stage 1 over stage 2: {self._pairs()}")

    def _pairs(self):
        """How many pages have which size in each stage, counted by the model's answers."""
        first = next(each for each in self.passes if each.walk == "s1")
        second = next(each for each in self.passes if each.walk == "s2")
        below = dict(zip(second.pages, map(kind, second.model)))
        pairs = collections.Counter()
        for text in first.model:
            if text.startswith("ok "):
                ipa = int(text.split()[1].removeprefix("pa="), 16)
                pairs[f"{kind(text)} over {below[ipa]}".replace("of ", "")] += 1
        return ", ".join(f"{count} {what}" for what, count in sorted(pairs.items()))


def kind(text):
    """What a report counts: the size of a translation, or stage, level and type of a fault."""
    words = dict(word.partition("=")[::2] for word in text.split())
    if "ok" in words:
        return f"of {int(words['size'], 16) >> 10}K"
    walk = " on a table" if words["s1walk"] == "1" else ""
    return f"s{words['stage']} l{words['level']} {words['type']}{walk}"


def chosen_pages(passes, every, every_fault):
    """Of the pages that all of `passes` were asked for: where the kind of answer changes, before
    and after; and of the rest one in so many of those mapped, one in so many of the others. The
    last pass is the one with the fewest pages."""
    pages = passes[-1].pages
    chosen = []
    kinds = []
    for each in passes:
        known = dict(zip(each.pages, map(kind, each.model)))
        kinds.append([known[page] for page in pages])
    kinds = list(zip(*kinds))
    for at, page in enumerate(pages):
        mapped = any(what.startswith("of ") for what in kinds[at])
        edge = kinds[at] != kinds[max(at - 1, 0)] or kinds[at] != kinds[min(at + 1, len(pages) - 1)]
        if edge or at % (every if mapped else every_fault) == 0:
            chosen.append(page)
    return chosen


def compare(folder, nestwalk, regime, memory, probe):
    """`memory`: names of files in `folder` and their addresses."""
    compared = Comparison(folder, nestwalk, regime, memory, probe)
    compared.ask_all()
    return compared

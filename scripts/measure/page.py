# SPDX-License-Identifier: Apache-2.0
"""The parts of a page: lists, tables, and the places in docs/experiments.md that are filled in."""
import os
import re


class Files:
    """Where charts and tables go; those of an architecture that is not the first have its name in
    theirs."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def path(self, name, architecture):
        stem, ending = os.path.splitext(name)
        return os.path.join(self.folder, stem + architecture.suffix + ending)


def blocks(architecture, **texts):
    """{marker: text} for docs/experiments.md."""
    return {name + architecture.suffix: text for name, text in texts.items()}


def names(items):
    items = list(items)
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def count_of(count, whole):
    return f"{'all' if count == whole else 'none' if count == 0 else count} of {whole}"


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |",
             "| " + " | ".join(["---"] + ["---:"] * (len(heads) - 1)) + " |"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def listed(lines):
    return "\n".join(f"- {line}" for line in lines)


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

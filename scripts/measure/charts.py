# SPDX-License-Identifier: Apache-2.0
"""Charts, drawn by gnuplot from a script with its data inside. Files of a few ten kilobytes."""
import re
import subprocess

from runner import Failure

CAUSES = ("base", "memory", "translation", "guest_kernel", "exits")
# Colours that stay apart for the colour-blind (Okabe and Ito), and in grey.
CAUSE_COLOURS = ("#c8c8c8", "#7fb8de", "#e69f00", "#009e73", "#b3401d")
LINE_COLOURS = ("#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
CUT = 250  # percent: taller bars are cut off
GAP = 0.8  # between groups, in bars


def text(value):
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def header(path, width, height, title):
    return [f"set terminal svg size {width},{height} font 'DejaVu Sans,11' background 'white' "
            "noenhanced",
            f"set output {text(path)}",
            f"set title {text(title)} font ',13'",
            "set border 3 linecolor rgb '#404040'", "set tics nomirror",
            "set grid linetype 1 linecolor rgb '#e0e0e0'"]


def shrink(path):
    """gnuplot writes each coordinate with two decimals and a title for each element."""
    with open(path) as file:
        svg = file.read()
    svg = re.sub(r"\t+", "", svg)
    svg = re.sub(r"(\d+)\.(\d)\d\b", r"\1.\2", svg)
    with open(path, "w") as file:
        file.write(svg)


def draw(path, lines):
    done = subprocess.run(["gnuplot", "-"], input="\n".join(lines) + "\n", capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"gnuplot: {done.stderr.strip()}")
    shrink(path)


def bar_row(number, groups, columns, top):
    """Data, labels and ticks of one row of stacked bars; (lines, width in bars)."""
    data, ticks, labels, place = [], [], [], 0
    for name, bars in groups:
        shown = [column for column in columns if column in bars]
        labels.append(f"set label {text(name)} at first {place + (len(shown) - 1) / 2}, graph 1.06 "
                      "center font ',11'")
        for column in shown:
            ends = [0]
            for cause in CAUSES:
                ends.append(min(ends[-1] + bars[column][cause], CUT))
            whole = sum(bars[column].values())
            data.append(f"{place} " + " ".join(f"{end:.2f}" for end in ends))
            ticks.append(f"{text(column)} {place}")
            labels.append(f"set label '{whole:.0f}' at {place},{min(whole, top):.2f} center "
                          "offset 0,0.5 font ',8'")
            place += 1
        place += GAP
    return [f"$bars{number} << END", *data, "END", "unset label", *labels,
            f"set xtics ({', '.join(ticks)}) scale 0 rotate by 90 right font ',9'"], place


def stacked_bars(path, title, groups, columns, base="nested", in_row=6):
    """groups: [(name, {column: {cause: percent}})], in percent of the base; so many in a row."""
    rows = [groups[i:i + in_row] for i in range(0, len(groups), in_row)]
    top = min(CUT, max(sum(bars[c].values()) for _, bars in groups for c in bars))
    made = [bar_row(number, row, columns, top) for number, row in enumerate(rows)]
    bars = max(width for _, width in made)
    below = 8 + 6 * max(map(len, columns))  # pixels, of names of columns
    width, height, head = int(90 + 22 * bars), 190 + below, 56
    whole = height * len(rows) + head
    script = header(path, width, whole, title)
    script[2] = f"set multiplot title {text(title)} font ',13'"
    script += ["set style fill solid 1.0 noborder", "unset grid",
               "set grid ytics linetype 1 linecolor rgb '#e0e0e0'",
               f"set ylabel {text(base + ' = 100')}",
               f"set yrange [0:{top * 1.1:.1f}]", f"set xrange [-0.8:{bars - GAP - 0.2:.1f}]",
               f"set lmargin at screen {60 / width:.4f}",
               f"set rmargin at screen {1 - 20 / width:.4f}",
               f"set key at screen 0.5,{1 - 32 / whole:.4f} center top horizontal reverse Left "
               "samplen 1 width 2"]
    for number, (lines, _) in enumerate(made):
        bottom = whole - head - height * (number + 1) + below
        script += [*lines, f"set bmargin at screen {bottom / whole:.4f}",
                   f"set tmargin at screen {(bottom + height - below - 26) / whole:.4f}",
                   "plot " + ", ".join(
                       f"$bars{number} using 1:{i + 2}:($1-0.38):($1+0.38):{i + 2}:{i + 3} with "
                       f"boxxyerror linecolor rgb '{colour}' title {text(cause.replace('_', ' '))}"
                       for i, (cause, colour) in enumerate(zip(CAUSES, CAUSE_COLOURS))),
                   "unset key"]
    draw(path, script + ["unset multiplot"])


def differences(path, title, items, limit=80):
    """items: [(name, {cause: percent})]: one bar each, what is added upwards, what is saved
    downwards, and the sum of both as a dot; beyond the limit it is cut off."""
    data, ticks, labels = [], [], []
    for place, (name, causes) in enumerate(items):
        up = down = 0
        ends = []
        for cause in CAUSES:
            start = up if causes[cause] > 0 else down
            end = max(-limit, min(limit, start + causes[cause]))
            ends += [start, end]
            up, down = (end, down) if causes[cause] > 0 else (up, end)
        net = sum(causes.values())
        data.append(f"{place} " + " ".join(f"{end:.2f}" for end in ends)
                    + f" {max(-limit, min(limit, net)):.2f}")
        ticks.append(f"{text(name)} {place}")
        labels.append(f"set label '{net:+.0f}' at {place},{up:.2f} center offset 0,0.6 font ',9'")
    bars = ", ".join(
        f"$bars using 1:{2 * i + 2}:($1-0.38):($1+0.38):{2 * i + 2}:{2 * i + 3} with boxxyerror "
        f"linecolor rgb '{colour}' title {text(cause.replace('_', ' '))}"
        for i, (cause, colour) in enumerate(zip(CAUSES, CAUSE_COLOURS)) if cause != "base")
    draw(path, header(path, int(110 + 50 * len(items)), 430, title) + [
        "$bars << END", *data, "END", *labels, "set style fill solid 1.0 noborder",
        f"set xtics ({', '.join(ticks)}) scale 0 rotate by 45 right font ',10'",
        "unset grid", "set grid ytics linetype 1 linecolor rgb '#e0e0e0'",
        "set key top center horizontal outside reverse Left samplen 1 width 2",
        "set xzeroaxis linetype 1 linecolor rgb '#404040'",
        f"set ylabel '% of nested time (cut off at {limit})'",
        f"set yrange [-{limit / 2}:{limit * 1.1:.1f}]", f"set xrange [-0.8:{len(items) - 0.2}]",
        f"plot {bars}, $bars using 1:{2 * len(CAUSES) + 2} with points pointtype 7 pointsize 0.7 "
        "linecolor rgb 'black' title 'sum'"])


def crossover(path, title, cells, lines):
    """cells: [(misses, writes, percent)]: shadow against nested, negative where shadow wins.
    lines: [(name, [(misses, writes)], dashes)]."""
    data = [f"{x:.4g} {y:.4g} {max(-40, min(40, percent)):.2f}" for x, y, percent in cells]
    labels = [f"set label '{percent:+.0f}' at {x:.4g},{y:.4g} center font ',8' front"
              for x, y, percent in cells]
    script = header(path, 760, 560, title) + [
        "$cells << END", *data, "END", *labels,
        "set logscale xy", "set format x '%g'", "set format y '%g'", "set format cb '%+g'",
        "set bmargin 7",
        "set xlabel 'TLB misses in a million references'",
        "set ylabel 'page-table writes in a million references'",
        "set palette defined (-40 '#2b7bba', 0 '#f7f7f7', 40 '#d6604d')", "set cbrange [-40:40]",
        "set cblabel 'shadow against nested, % of program time' offset 1",
        "set xtics (" + ", ".join(f"{digit}e{power}" for power in range(3, 7)
                                  for digit in (1, 2, 5)) + ")",
        "set key at screen 0.5,0.1 center top horizontal samplen 2"]
    plots = ["$cells using 1:2:3 with points pointtype 5 pointsize 3.6 palette notitle"]
    for i, (name, points, dashes) in enumerate(lines):
        script += [f"$line{i} << END", *(f"{x:.4g} {y:.4g}" for x, y in points), "END"]
        plots.append(f"$line{i} using 1:2 with {'lines' if dashes else 'linespoints'} "
                     f"linewidth 2 dashtype {dashes or 1} pointtype 7 pointsize 0.5 "
                     f"linecolor rgb '{LINE_COLOURS[i]}' title {text(name)}")
    xs, ys = [c[0] for c in cells], [c[1] for c in cells]
    script += [f"set xrange [{min(xs) / 1.5:.4g}:{max(xs) * 1.5:.4g}]",
               f"set yrange [{min(ys) / 1.8:.4g}:{max(ys) * 1.8:.4g}]",
               "plot " + ", ".join(plots)]
    draw(path, script)


def price_lines(path, title, factors, panels, columns):
    """panels: [(price, {column: [percent of nested at each factor]})]."""
    script = header(path, 300 * len(panels) + 60, 340, title)
    script[2] = f"set multiplot layout 1,{len(panels)} title {text(title)} font ',13'"
    values = [v for _, curves in panels for curve in curves.values() for v in curve]
    script += ["set logscale x 2", "set xtics (" + ", ".join(
        f"'{'1/' + str(round(1 / f)) if f < 1 else round(f)}' {f}" for f in factors) + ")",
               f"set yrange [{min(values + [100]) * 0.95:.1f}:{min(max(values) * 1.05, 400):.1f}]",
               "set xlabel 'price times'", "set key top left Left reverse samplen 1.5 font ',9'"]
    for number, (price, curves) in enumerate(panels):
        script += [f"set title {text(price)}",
                   "set ylabel 'mean program time, nested = 100'" if number == 0
                   else "unset ylabel"]
        plots = []
        for i, column in enumerate(c for c in columns if c in curves):
            points = [f"{f} {v:.3f}" for f, v in zip(factors, curves[column])]
            script += [f"$curve{number}_{i} << END", *points, "END"]
            plots.append(f"$curve{number}_{i} using 1:2 with linespoints linewidth 2 pointtype 7 "
                         f"pointsize 0.6 linecolor rgb '{LINE_COLOURS[i]}' "
                         f"title {text(column) if number == 0 else text('')}")
        script.append("plot " + ", ".join(plots))
        script.append("unset key")
    draw(path, script + ["unset multiplot"])

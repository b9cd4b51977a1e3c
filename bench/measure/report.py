# SPDX-License-Identifier: Apache-2.0
"""The table: rows of medians with their bounds, on the screen and in a JSON file."""
import json
import os
import statistics

from measure.server import ROOT

FOLDER = os.path.join(ROOT, "build", "bench-results")
rows = []


def number(value, unit=""):
    if value == 0 or abs(value) >= 100:
        text = f"{value:,.0f}"
    elif abs(value) >= 10:
        text = f"{value:.1f}"
    elif abs(value) >= 0.01:
        text = f"{value:.3f}"
    else:
        text = f"{value:.2g}"
    return text + unit


def report(name, values, at_most=None, at_least=None):
    """`values`: one, or one of each repetition; the median counts."""
    values = [values] if isinstance(values, (int, float)) else list(values)
    median = statistics.median(values)
    bound = verdict = ""
    if at_most is not None:
        bound, verdict = f"<= {number(at_most)}", "holds" if median <= at_most else "DOES NOT HOLD"
    elif at_least is not None:
        bound, verdict = f">= {number(at_least)}", "holds" if median >= at_least else "DOES NOT HOLD"
    spread = f"{number(min(values))} .. {number(max(values))} of {len(values)}" if len(values) > 1 else ""
    rows.append({"name": name, "median": median, "values": values, "at_most": at_most, "at_least": at_least})
    print(f"{name:<66} {number(median):>9}  {spread:<22} {bound:<10} {verdict}".rstrip(), flush=True)
    return median


def note(text):
    print(f"    {text}", flush=True)


def save(arguments):
    os.makedirs(FOLDER, exist_ok=True)
    path = os.path.join(FOLDER, "rows.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"arguments": vars(arguments), "processors": os.cpu_count(), "rows": rows}, file, indent=1)
    print(f"written to {os.path.relpath(path, ROOT)}")


def losses(name, labels, groups, ours, theirs, shown):
    """The final losses of both sides side by side: all of them in a file, and where `shown` some here. Returns the largest
    median of the relative differences of any group (key -> group: its architecture), with signs and without. Runs of two random
    streams differ by chance, but as often one way as the other; a group does not. Both sides: key -> (training loss, validation loss)."""
    lines, differences = [], {}
    for key, label in sorted(labels.items()):
        difference = (ours[key][0] - theirs[key][0]) / max(abs(theirs[key][0]), 1e-9)
        differences.setdefault(groups[key], []).append(difference if difference == difference else 1.0)
        lines.append(f"{label:<52} training {ours[key][0]:8.4f} | {theirs[key][0]:8.4f}   "
                     f"validation {ours[key][1]:8.4f} | {theirs[key][1]:8.4f}")
    os.makedirs(FOLDER, exist_ok=True)
    path = os.path.join(FOLDER, f"{name}.losses.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"final losses of {name}: ours | the peer's\n" + "\n".join(lines) + "\n")
    if shown:
        some = lines if len(lines) <= 16 else lines[::max(1, len(lines) // 8)]
        note(f"final losses, ours | the peer's ({len(some)} of {len(lines)}; all in {os.path.relpath(path, ROOT)}):")
        for line in some:
            note(line)
    return (max(abs(statistics.median(group)) for group in differences.values()),
            max(statistics.median(map(abs, group)) for group in differences.values()))

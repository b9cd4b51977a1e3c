#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails over source files of more than 600 lines, lists those over 400, and minds the size of data/."""
import sys

from files import ROOT, project_files, report

LIMIT, DISCUSS, DATA_BYTES = 600, 400, 10_000_000
ENDINGS = (".cpp", ".hpp", ".cu", ".h", ".fbs", ".sql", ".py", ".pl", ".pm", ".sh", ".cmake", ".txt", ".spec", "")


def main():
    findings = []
    for path, text in project_files():
        name = path.rsplit("/", 1)[-1]
        ending = "." + name.rsplit(".", 1)[1] if "." in name else ""
        if ending not in ENDINGS or path.startswith("data/") or name == "LICENSE":
            continue
        lines = text.count("\n")
        if lines > LIMIT:
            findings.append(f"{path}: {lines} lines, the limit is {LIMIT}")
        elif lines > DISCUSS:
            print(f"{path}: {lines} lines (no failure; above {DISCUSS} a file wants a reason)")
    size = sum(f.stat().st_size for f in (ROOT / "data").rglob("*") if f.is_file())
    if size > DATA_BYTES:
        findings.append(f"data/: {size} bytes, the limit is {DATA_BYTES}")
    return report(findings, "every file is small enough")


if __name__ == "__main__":
    sys.exit(main())

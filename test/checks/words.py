#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Finds what must not stay in the tree: unfinished work, paths of one machine, addresses, secrets, broken text."""
import re
import sys

from files import project_files, report

THIS = "test/checks/words.py"
PATTERNS = [
    ("unfinished work", re.compile(r"\b(TODO|FIXME|XXX|HACK|WIP)\b")),
    ("unfinished work", re.compile(r"\b(stub|placeholder|lorem ipsum|not implemented yet)\b", re.IGNORECASE)),
    ("a path of one machine", re.compile(r"(?<![\w.}\"$/])/(home|root|Users|work|mnt|media|workspace)/\w")),
    ("an address of one network", re.compile(r"\b(10|127|172\.(1[6-9]|2\d|3[01])|192\.168)(\.\d{1,3}){2,3}\b(?!\.)")),
    ("a package registry's address", re.compile(r"\b(pypi\.org|pythonhosted\.org|anaconda\.org)\b")),
    ("a number of a tracker that readers do not have", re.compile(r"\bissue #?\d+\b", re.IGNORECASE)),
    ("a secret", re.compile(r"(BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{30})")),
    ("a merge conflict", re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)),
]


def main():
    findings = []
    for path, text in project_files():
        if path == THIS or path.startswith("data/"):
            continue
        for what, pattern in PATTERNS:
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                findings.append(f"{path}:{line}: {what}: {match.group(0)}")
        if path.endswith((".cpp", ".hpp")) and not path.startswith("build") and "SPDX-License-Identifier: Apache-2.0" not in text[:200]:
            findings.append(f"{path}:1: no SPDX line")
        if "\r\n" in text:
            findings.append(f"{path}: lines end with CR LF")
    return report(findings, "nothing that must not stay")


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""The project's own text files, for the checks of this folder."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED_FOLDERS = {"build", "wt", ".git", "__pycache__"}
BINARY_ENDINGS = {".gz", ".xz", ".bin", ".png", ".svg", ".jpg"}


def project_files():
    """Yields (path below the root, text) of every text file that belongs to the project."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS)
        for name in sorted(names):
            path = pathlib.Path(folder, name)
            if path.suffix in BINARY_ENDINGS or path.is_symlink() or not path.is_file() or name == ".git":
                continue
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            yield path.relative_to(ROOT).as_posix(), text


def report(findings, fine):
    """Prints the findings, or the line that says all is well; returns the exit status."""
    for finding in findings:
        print(finding)
    if not findings:
        print(fine)
    return 1 if findings else 0

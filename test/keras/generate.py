# SPDX-License-Identifier: Apache-2.0
"""Writes fixtures/THEME.PROFILE.json with numbers that a real Keras computed. README.md describes protocol and format.

Usage: python generate.py PROFILE [THEME...]   (in a virtual environment with the requirements of that family)
"""
import sys
import traceback

import fixture_format
import keras_family
import model_run
import themes


def model_theme(family, cases):
    """Runs the cases of this family; one that its Keras refuses is told and left out."""
    written, names = [], set()
    for case in cases:
        if family.profile not in case.get("only", (family.profile,)):
            continue
        if case["name"] in names:
            raise SystemExit("two cases are called " + case["name"])
        names.add(case["name"])
        try:
            written.append(model_run.run(family, case))
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = str(error).strip().split("\n")
            print("  without", case["name"], "--", type(error).__name__, text[0][:150], text[-1][:100],
                  "%s:%d" % (where.filename.rsplit("/", 1)[-1], where.lineno), flush=True)
    return written


def main():
    family = keras_family.family(sys.argv[1])
    wanted = sys.argv[2:] or themes.names(family.profile)
    for theme in wanted:
        kind, cases = themes.theme(theme)
        content = model_theme(family, cases(family.profile)) if kind == "models" else list(cases(family))
        if content:
            fixture_format.write(theme, family.profile, content)


if __name__ == "__main__":
    main()

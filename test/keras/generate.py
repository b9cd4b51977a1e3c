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


def model_theme(family, theme, cases):
    """Runs the cases of this family; one that its Keras refuses is told and left out."""
    written, names, seen = [], set(), set()
    for case in cases:
        if family.profile not in case.get("only", (family.profile,)):
            continue
        if case["name"] in names:
            raise SystemExit("two cases are called " + case["name"])
        names.add(case["name"])
        try:
            found = model_run.run(family, case)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = str(error).strip().split("\n")
            print(
                "  without",
                case["name"],
                "--",
                type(error).__name__,
                text[0][:150],
                text[-1][:100],
                "%s:%d" % (where.filename.rsplit("/", 1)[-1], where.lineno),
                flush=True,
            )
            continue
        if not is_repetition(family.profile, theme, case, found, seen):
            written.append(found)
    return written


def is_repetition(profile, theme, case, found, seen):
    """Where layers compute as in tf.keras 2.10, one case for each set of layers is enough, and all with masks."""
    if theme not in themes.AS_IN_TF2_LEGACY.get(profile, ()):
        return False
    new = tuple(found["layers"]) not in seen
    seen.add(tuple(found["layers"]))
    padded = any(spec.get("formula", "").startswith("padded") for spec in found["inputs"])
    return not (new or padded or "tf2_legacy" not in case.get("only", ("tf2_legacy",)))


def main():
    family = keras_family.family(sys.argv[1])
    wanted = sys.argv[2:] or themes.names(family.profile)
    for theme in wanted:
        kind, cases = themes.theme(theme)
        content = model_theme(family, theme, cases(family.profile)) if kind == "models" else list(cases(family))
        if content:
            fixture_format.write(theme, family.profile, content)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""What the fixture files hold and how: the formulas for inputs, targets and weights, and the JSON that is written.

README.md states the same formulas for readers in other languages; both must change together.
"""

import json
import math
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).parent / "fixtures"
EXAMPLES = 21
BATCHES = ((0, 8), (8, 16), (16, 21))
BYTES_PER_FILE = 1000000


# --- formulas -----------------------------------------------------------------------------------------------------


def counted(shape):
    return np.arange(int(np.prod(shape, dtype="int64")), dtype="float64")


def input_values(spec):
    """The array that an entry of `inputs` describes."""
    shape, formula = spec["shape"], spec.get("formula")
    if formula == "wave":
        wave = np.round(np.cos(0.9 * counted(shape)), 3) * spec.get("scale", 1.0) + spec.get("offset", 0.0)
        return wave.astype("float32").reshape(shape)
    if formula == "ids":
        ids = np.floor(counted(shape)) * 7 % spec["modulo"] + spec.get("fraction", 0.0)
        return ids.astype(spec["dtype"]).reshape(shape)
    if formula == "padded_wave":
        return padded(np.round(np.cos(0.9 * counted(shape)), 3).astype("float32").reshape(shape), spec.get("pad", 0.0))
    if formula == "padded_ids":
        ids = (1 + counted(shape) * 7 % (spec["modulo"] - 1)).astype(spec["dtype"]).reshape(shape)
        return padded(ids, 0)
    return np.asarray(spec["values"], dtype=spec.get("dtype", "float32")).reshape(shape)


def padded(sequences, value):
    """Example b keeps its first 1 + b mod T time steps, the others are `value`; where b mod 4 is 3, step 0 as well."""
    steps = sequences.shape[1]
    for row in range(sequences.shape[0]):
        sequences[row, 1 + row % steps :] = value
        if row % 4 == 3:
            sequences[row, 0] = value
    return sequences


def target_values(spec):
    """The array that an entry of `targets` describes."""
    shape, formula = list(spec["shape"]), spec.get("formula")
    if formula in ("one_hot", "class_ids"):
        classes = shape[-1] if formula == "one_hot" else spec["classes"]
        rows = np.arange(int(np.prod(shape[:-1] if formula == "one_hot" else shape)))
        ids = (2 * rows + rows // classes) % classes if classes % 3 == 0 else (3 * rows) % classes
        if formula == "one_hot":
            return np.eye(classes, dtype="float32")[ids].reshape(shape)
        return ids.astype("int64").reshape(shape)
    index = counted(shape)
    if formula == "binary":
        return (index * 5 % 7 > 3).astype("float32").reshape(shape)
    if formula == "signs":
        return np.where(index * 5 % 7 > 3, 1.0, -1.0).astype("float32").reshape(shape)
    if formula == "floats":
        return np.round(np.sin(0.7 * index), 3).astype("float32").reshape(shape)
    if formula == "positive":
        return np.round(np.abs(np.sin(0.7 * index)), 3).astype("float32").reshape(shape)
    return np.asarray(spec["values"], dtype="float32").reshape(shape)


def start_weights(shapes, kinds, scale):
    """The `standard` weights; `kinds` says wave, variance or count for each array."""
    arrays = []
    for k, (shape, kind) in enumerate(zip(shapes, kinds)):
        wave = np.sin(1.7 * counted(shape) + 0.3 * k)
        if kind == "count":
            arrays.append(np.full(shape, 5, "int64"))
            continue
        values = 0.5 + 0.4 * np.abs(wave) if kind == "variance" else scale * 0.3 * wave
        arrays.append(np.round(values, 4).astype("float32").reshape(shape))
    return arrays


KIND_LETTERS = dict(kernel="k", depthwise="d", embedding="e", gamma="g", variance="v", count="c", other="o")


def deep_weights(shapes, kinds, gain):
    """The `deep` weights of whole networks: activations keep about their size through a hundred layers."""
    arrays = []
    for shape, kind in zip(shapes, kinds):
        index = np.arange(int(np.prod(shape, dtype="int64")), dtype="int64")
        wave = np.sin((index * (index + 3) % 8191).astype("float64"))
        if kind in ("kernel", "depthwise"):
            fan_in = int(np.prod(shape[:-1] if kind == "kernel" else shape[:-2], dtype="int64"))
            values = gain * 2.0 / math.sqrt(max(fan_in, 1)) * wave
        elif kind == "count":
            values = np.full(index.shape, 5)
        else:
            level, spread = dict(embedding=(0.0, 1.0), gamma=(1.0, 0.1), variance=(1.0, 0.2), other=(0.0, 0.05))[kind]
            values = level + spread * wave
        arrays.append(values.astype("int64" if kind == "count" else "float32").reshape(shape))
    return arrays


# --- text ---------------------------------------------------------------------------------------------------------


def number(x):
    """The shortest decimal that reads back as the same float32; what JSON cannot say becomes a string."""
    value = np.float32(x)
    if not np.isfinite(value):
        return "nan" if np.isnan(value) else "inf" if value > 0 else "-inf"
    if value == np.trunc(value) and abs(value) < 1e7:
        return int(value) if value != 0 or not np.signbit(value) else 0
    return float(str(value))


def plain(value):
    """Arrays as flat lists in C order."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, (np.ndarray, np.generic)):
        flat = np.asarray(value).reshape(-1)
        items = [int(x) if flat.dtype.kind in "iu" else bool(x) if flat.dtype.kind == "b" else number(x) for x in flat]
        return items if isinstance(value, np.ndarray) and value.ndim else items[0]
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return number(value) if isinstance(value, float) else value


def case_line(case):
    """`model` stays as Keras wrote it: only our own numbers are rounded to float32."""
    model = case.get("model")
    rest = plain({key: value for key, value in case.items() if key != "model"})
    return json.dumps(rest if model is None else dict(rest, model=model), separators=(",", ":"))


def share_models(cases):
    """A model that an earlier case of the file has already is given by that case's name."""
    first = {}
    for case in cases:
        if "model" in case:
            name = first.setdefault(json.dumps(case["model"]), case["name"])
            if name != case["name"]:
                del case["model"]
                case["model_of"] = name


def write(theme, profile, cases):
    share_models(cases)
    path = FOLDER / "{}.{}.json".format(theme, profile)
    path.write_text("[\n" + ",\n".join(case_line(case) for case in cases) + "\n]\n")
    size = path.stat().st_size
    print(path.name, len(cases), "cases", size, "bytes", "TOO LARGE" if size > BYTES_PER_FILE else "", flush=True)

# SPDX-License-Identifier: Apache-2.0
"""Trains six models of Keras in the database, loads the weights back into real Keras and compares the predictions.

Usage: python round_trip.py CONNECTION_STRING   (in the environment of requirements-keras3.txt; needs psql, and a server with
modelhop: tools/server start prints the connection string). Prints a line per model; exit status 1 where one differs by more
than 1e-5."""
import json
import os
import subprocess
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np

L = keras.layers
ROWS = 64


def residual(x, filters):
    y = L.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    y = L.ReLU()(L.BatchNormalization()(y))
    y = L.BatchNormalization()(L.Conv2D(filters, 3, padding="same", use_bias=False)(y))
    return L.ReLU()(L.Add()([x, y]))


def models():
    """Name, model, whether its input is word numbers."""
    image = (12, 12, 3)
    yield "CNN", keras.Sequential([L.Input(image), L.Conv2D(8, 3, activation="relu"), L.MaxPooling2D(), L.Dropout(0.2),
                                   L.Flatten(), L.Dense(16, activation="relu"), L.Dense(3, activation="tanh")]), False
    yield "VGG block", keras.Sequential([L.Input(image), L.Conv2D(8, 3, padding="same", activation="relu"),
                                         L.BatchNormalization(), L.SeparableConv2D(12, 3, padding="same", activation="elu"),
                                         L.AveragePooling2D(3, 2, "same"), L.GlobalAveragePooling2D(), L.Dense(3)]), False
    given = keras.Input(image)
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(8, 3, padding="same", use_bias=False)(given)))
    x = residual(residual(x, 8), 8)
    yield "residual", keras.Model(given, L.Dense(3)(L.GlobalAveragePooling2D()(x))), False
    yield "LSTM", keras.Sequential([L.Input((12,)), L.Embedding(50, 8, mask_zero=True), L.Bidirectional(L.LSTM(8)),
                                    L.Dense(3)]), True
    yield "Conv1D", keras.Sequential([L.Input((12,)), L.Embedding(50, 8), L.Conv1D(16, 3, activation="relu"),
                                      L.GlobalMaxPooling1D(), L.Dense(3)]), True
    given = keras.Input((12,))
    x = L.Embedding(50, 8)(given)
    x = L.LayerNormalization()(L.Add()([x, L.MultiHeadAttention(2, 4)(x, x)]))
    x = L.LayerNormalization()(L.Add()([x, L.Dense(8)(L.Dense(16, activation="gelu")(x))]))
    yield "Transformer", keras.Model(given, L.Dense(3)(L.GlobalAveragePooling1D()(x))), True


class Database:
    def __init__(self, connection):
        self.psql = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", connection]

    def run(self, sql):
        return subprocess.run(self.psql, input=sql, text=True, check=True, capture_output=True).stdout


def array_text(values):
    return "{" + ",".join(repr(float(value)) for value in values.reshape(-1)) + "}"


def largest_difference(database, name, model, has_words):
    generator = np.random.default_rng(7)
    shape = model.input_shape[1:]
    x = generator.integers(0, 50, (ROWS, *shape)).astype("float32") if has_words else \
        generator.normal(size=(ROWS, *shape)).astype("float32")
    y = generator.normal(size=(ROWS, 3)).astype("float32")
    rows = "\n".join(f"{i}\t{array_text(x[i])}\t{array_text(y[i])}" for i in range(ROWS))
    extents = ",".join(str(extent) for extent in shape)
    database.run(f"""SET client_min_messages = error;
DROP SCHEMA IF EXISTS round_trip CASCADE; CREATE SCHEMA round_trip; SET search_path = round_trip, public;
CREATE TABLE example (id integer, x real[], y real[]);
COPY example FROM STDIN;
{rows}
\\.
SELECT modelhop.training_preprocessor_dl('example', 'packed', 'y', 'x', num_segments => 2, seed => 1, independent_shape => ARRAY[{extents}]);
SELECT modelhop.load_keras_model('architecture', $json${model.to_json()}$json$::json);
SELECT modelhop.fit('packed', 'model', 'architecture', 1, $$loss='mse', optimizer='Adam(lr=0.01)'$$, 'batch_size=16, epochs=2', 3, seed => 5);
SELECT modelhop.predict('model', 'example', 'id', 'x', 'guess');
""")
    weights = np.frombuffer(bytes.fromhex(database.run(
        "SELECT encode(modelhop.model_weights('round_trip.model'), 'hex')").strip()), "<f4")
    arrays, position = [], 0
    for array in model.get_weights():
        arrays.append(weights[position:position + array.size].reshape(array.shape))
        position += array.size
    assert position == weights.size, f"{weights.size} numbers came back, the model has {position}"
    model.set_weights(arrays)
    guesses = json.loads(database.run("SELECT json_agg(predicted ORDER BY id) FROM round_trip.guess"))
    return np.abs(model.predict(x, verbose=0) - np.array(guesses)).max()


def main():
    database, worst = Database(sys.argv[1]), 0.0
    for name, model, has_words in models():
        difference = largest_difference(database, name, model, has_words)
        worst = max(worst, difference)
        print(f"{name:12} {model.count_params():6} parameters, predictions differ by at most {difference:.1e}", flush=True)
    database.run("SET client_min_messages = error; DROP SCHEMA round_trip CASCADE")
    return 0 if worst <= 1e-5 else 1


if __name__ == "__main__":
    sys.exit(main())

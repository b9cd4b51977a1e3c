# SPDX-License-Identifier: Apache-2.0
"""Embedding, masks, recurrent layers and their wrappers."""

from case_builder import CCE, EAGER, KERAS2, MSE, Part, adam, case, dense, functional, layer, sequential, sgd

STEPS = (4, 3)
PADDED = dict(inputs=[dict(formula="padded_wave")])


def ids(modulo, **keywords):
    return dict(inputs=[dict(dict(formula="ids", modulo=modulo, dtype="int32"), **keywords)])


def cases(profile):
    yield from embedding_cases()
    yield from simple_cases()
    yield from lstm_cases()
    yield from gru_cases()
    yield from mask_cases()
    yield from state_cases(profile)


def embedding_cases():
    def model(**keywords):
        return sequential((3,), layer("Embedding", 5, 2, **keywords), layer("Flatten"), dense(3, "softmax"))

    yield case(49, "embedding of integers", model(), CCE, sgd(), **ids(5))
    yield case(
        49,
        "embedding of floats, momentum",
        model(),
        CCE,
        sgd(0.1, momentum=0.9),
        **ids(5, dtype="float32", fraction=0.6),
    )
    yield case(49, "embedding adam of distinct ids", model(), CCE, adam(0.01), only=KERAS2, **ids(5))
    yield case(
        49,
        "embedding with penalty and constraint",
        model(
            embeddings_regularizer=Part("regularizers", "l2", 0.05),
            embeddings_constraint=Part("constraints", "MaxNorm", 0.4, axis=1),
        ),
        CCE,
        sgd(0.5),
        **ids(5),
    )
    yield case(
        49,
        "embedding, pooled",
        sequential((4,), layer("Embedding", 6, 3), layer("GlobalAveragePooling1D"), dense(2)),
        **ids(6),
    )
    masked = dict(inputs=[dict(formula="padded_ids", modulo=6, dtype="int32")])
    yield case(
        50,
        "embedding mask, lstm",
        sequential((4,), layer("Embedding", 6, 3, mask_zero=True), layer("LSTM", 2), dense(3, "softmax")),
        CCE,
        sgd(),
        **masked,
    )
    yield case(
        50,
        "embedding mask, lstm, adam",
        sequential((4,), layer("Embedding", 6, 3, mask_zero=True), layer("LSTM", 2), dense(3, "softmax")),
        CCE,
        adam(),
        only=KERAS2,
        **masked,
    )
    yield case(
        50,
        "embedding mask, average",
        sequential((4,), layer("Embedding", 6, 3, mask_zero=True), layer("GlobalAveragePooling1D"), dense(2)),
        **masked,
    )


def recurrent(kind, name, units=2, row=51, shape=STEPS, after=(), **keywords):
    more = {key: keywords.pop(key) for key in ("only", "inputs", "optimizer") if key in keywords}
    return case(row, kind.lower() + " " + name, sequential(shape, layer(kind, units, **keywords), *after), **more)


def simple_cases():
    kind, two = "SimpleRNN", (dense(2),)
    yield recurrent(kind, "default", after=two)
    yield recurrent(kind, "return sequences", return_sequences=True)
    yield recurrent(kind, "backwards sequences", return_sequences=True, go_backwards=True)
    yield recurrent(kind, "backwards", go_backwards=True, after=two)
    yield recurrent(kind, "relu without bias", activation="relu", use_bias=False, after=two)
    yield recurrent(kind, "unrolled", unroll=True, return_sequences=True)
    yield recurrent(
        kind,
        "with penalties and constraints",
        kernel_regularizer=Part("regularizers", "l2", 0.02),
        recurrent_regularizer=Part("regularizers", "l1", 0.03),
        bias_regularizer=Part("regularizers", "l2", 0.04),
        recurrent_constraint=Part("constraints", "MaxNorm", 0.5),
        activity_regularizer=Part("regularizers", "l2", 0.05),
    )


def lstm_cases():
    kind, two = "LSTM", (dense(2),)
    yield recurrent(kind, "sigmoid", row=52, recurrent_activation="sigmoid", after=two)
    yield recurrent(kind, "hard sigmoid", row=52, recurrent_activation="hard_sigmoid", after=two)
    yield recurrent(kind, "default", row=52, return_sequences=True)
    yield recurrent(kind, "backwards sequences", row=52, return_sequences=True, go_backwards=True)
    yield recurrent(
        kind, "relu, tanh gates", row=52, activation="relu", recurrent_activation="tanh", return_sequences=True
    )
    yield recurrent(kind, "without bias", row=52, use_bias=False, after=two)
    yield recurrent(kind, "without unit forget bias", row=52, unit_forget_bias=False, after=two)
    yield recurrent(kind, "unrolled", row=52, unroll=True, after=two)
    yield recurrent(
        kind,
        "with penalties and constraints",
        row=52,
        kernel_regularizer=Part("regularizers", "l2", 0.02),
        recurrent_constraint=Part("constraints", "NonNeg"),
        kernel_constraint=Part("constraints", "UnitNorm"),
        after=two,
    )
    yield case(
        52,
        "lstm stacked",
        sequential(STEPS, layer("LSTM", 3, return_sequences=True), layer("LSTM", 2), dense(2)),
        optimizer=adam(0.01),
    )
    yield case(52, "convlstm2d", sequential((3, 3, 4, 1), layer("ConvLSTM2D", 2, 2)))
    yield case(
        52,
        "convlstm2d same sequences",
        sequential((2, 3, 4, 1), layer("ConvLSTM2D", 1, (2, 3), padding="same", return_sequences=True)),
    )
    yield case(
        52,
        "convlstm2d strides, sigmoid",
        sequential((2, 5, 4, 1), layer("ConvLSTM2D", 1, 2, strides=2, use_bias=False, recurrent_activation="sigmoid")),
    )


def gru_cases():
    kind, two = "GRU", (dense(2),)
    for reset_after in (False, True):
        name = "reset after" if reset_after else "reset before"
        yield recurrent(kind, name, row=53, reset_after=reset_after, recurrent_activation="sigmoid", after=two)
        yield recurrent(
            kind,
            name + " hard sigmoid",
            row=53,
            reset_after=reset_after,
            recurrent_activation="hard_sigmoid",
            return_sequences=True,
        )
        yield recurrent(kind, name + " without bias", row=53, reset_after=reset_after, use_bias=False, after=two)
        yield recurrent(
            kind,
            name + " relu backwards",
            row=53,
            reset_after=reset_after,
            activation="relu",
            go_backwards=True,
            return_sequences=True,
        )
    yield recurrent(kind, "default", row=53, return_sequences=True)
    yield recurrent(kind, "unrolled", row=53, unroll=True, after=two)


def mask_cases():
    for kind in ("SimpleRNN", "LSTM", "GRU"):
        for sequences in (False, True):
            name = "masking, {}{}".format(kind.lower(), " sequences" if sequences else "")
            yield case(
                56,
                name,
                sequential(STEPS, layer("Masking"), layer(kind, 2, return_sequences=sequences), dense(2)),
                **PADDED,
            )
    yield case(
        56,
        "masking, gru sequences, loss with mask",
        sequential(STEPS, layer("Masking"), layer("GRU", 2, return_sequences=True)),
        metrics=["mae"],
        **PADDED,
    )
    yield case(
        56,
        "masking, lstm zero output for mask",
        sequential(
            STEPS, layer("Masking"), layer("LSTM", 2, return_sequences=True, zero_output_for_mask=True), dense(2)
        ),
        only=EAGER,
        **PADDED,
    )
    yield case(
        56,
        "masking, lstm backwards",
        sequential(STEPS, layer("Masking"), layer("LSTM", 2, return_sequences=True, go_backwards=True), dense(2)),
        **PADDED,
    )
    yield case(
        56,
        "masking, two lstm",
        sequential(STEPS, layer("Masking"), layer("LSTM", 2, return_sequences=True), layer("LSTM", 2), dense(2)),
        **PADDED,
    )


def state_cases(profile):
    for kind, states in (("SimpleRNN", 1), ("LSTM", 2), ("GRU", 1)):
        yield case(52, kind.lower() + " return state", returned_state(kind), [MSE, MSE])
        yield case(52, kind.lower() + " initial state", given_state(kind, states))


def returned_state(kind):
    @functional(STEPS)
    def build(keras, x):
        found = getattr(keras.layers, kind)(2, return_sequences=True, return_state=True)(x)
        return [keras.layers.Dense(2)(found[0]), keras.layers.Dense(2)(found[-1])]

    return build


def given_state(kind, states):
    @functional(STEPS, *[(2,)] * states)
    def build(keras, x, *given):
        return keras.layers.Dense(2)(getattr(keras.layers, kind)(2)(x, initial_state=list(given)))

    return build


# --- wrappers -----------------------------------------------------------------------------------------------------


def wrapper_cases(profile):
    yield from bidirectional_cases()
    yield from distributed_cases()
    yield from cell_cases()


def bidirectional_cases():
    def both(inner, *after, masked=False, **keywords):
        first = [layer("Masking")] if masked else []
        return sequential(STEPS, *first, layer("Bidirectional", inner, **keywords), *after)

    for mode in ("concat", "sum", "mul", "ave"):
        yield case(54, "bidirectional lstm " + mode, both(layer("LSTM", 2), dense(2), merge_mode=mode))
        yield case(
            54, "bidirectional gru sequences " + mode, both(layer("GRU", 2, return_sequences=True), merge_mode=mode)
        )
    yield case(
        54, "bidirectional lstm, adam", both(layer("LSTM", 2, return_sequences=True), dense(2)), optimizer=adam()
    )
    yield case(54, "bidirectional simple rnn", both(layer("SimpleRNN", 2), dense(2)))
    yield case(
        54, "bidirectional backwards", both(layer("SimpleRNN", 2, return_sequences=True, go_backwards=True), dense(2))
    )
    yield case(
        54,
        "bidirectional with a backward layer",
        both(layer("LSTM", 2), dense(2), backward_layer=layer("GRU", 2, go_backwards=True)),
        only=EAGER,
    )
    for kind in ("LSTM", "GRU"):
        yield case(54, "bidirectional masked " + kind.lower(), both(layer(kind, 2), dense(2), masked=True), **PADDED)
        yield case(
            54,
            "bidirectional masked {} sequences".format(kind.lower()),
            both(layer(kind, 2, return_sequences=True), dense(2), masked=True),
            **PADDED,
        )
    yield case(54, "bidirectional unmerged", unmerged, [MSE, MSE])
    yield case(54, "bidirectional return state", bidirectional_state)


@functional(STEPS)
def unmerged(keras, x):
    left, right = keras.layers.Bidirectional(keras.layers.LSTM(2), merge_mode=None)(x)
    return [keras.layers.Dense(2)(left), keras.layers.Dense(2)(right)]


@functional(STEPS)
def bidirectional_state(keras, x):
    found = keras.layers.Bidirectional(keras.layers.LSTM(2, return_state=True))(x)
    return keras.layers.Dense(2)(keras.layers.Concatenate()(list(found)))


def distributed_cases():
    def each(inner, *after, shape=STEPS, first=()):
        return sequential(shape, *first, layer("TimeDistributed", inner), *after)

    yield case(55, "distributed dense", each(dense(2, "tanh"), dense(2)))
    yield case(
        55, "distributed batch norm", each(layer("BatchNormalization", momentum=0.9), dense(2), first=(dense(2),))
    )
    yield case(55, "distributed conv2d", each(layer("Conv2D", 2, 2), shape=(2, 3, 4, 1)))
    yield case(55, "distributed flatten", each(layer("Flatten"), dense(2), shape=(2, 3, 2)))
    yield case(55, "distributed lstm", each(layer("LSTM", 2), dense(2), shape=(2, 3, 2)))
    yield case(55, "distributed pooling", each(layer("MaxPooling2D", 2), dense(2), shape=(2, 4, 4, 1)))
    yield case(
        55, "distributed dense under a mask", each(dense(2), layer("LSTM", 2), first=(layer("Masking"),)), **PADDED
    )
    yield case(55, "distributed model", distributed_model)


@functional((3, 4))
def distributed_model(keras, x):
    inner_input = keras.Input((4,))
    inner = keras.Model(inner_input, keras.layers.Dense(2)(keras.layers.Dense(3, activation="tanh")(inner_input)))
    return keras.layers.TimeDistributed(inner)(x)


def cell_cases():
    for kind in ("SimpleRNNCell", "LSTMCell", "GRUCell"):
        yield case(
            0, "rnn of " + kind, sequential(STEPS, layer("RNN", layer(kind, 2), return_sequences=True), dense(2))
        )
    yield case(
        0,
        "rnn of stacked cells",
        sequential(
            STEPS, layer("RNN", layer("StackedRNNCells", [layer("LSTMCell", 3), layer("LSTMCell", 2)])), dense(2)
        ),
    )
    yield case(
        0,
        "rnn of different cells",
        sequential(STEPS, layer("RNN", [layer("GRUCell", 3), layer("SimpleRNNCell", 2)], return_sequences=True)),
    )
    yield case(
        0,
        "bidirectional rnn of a cell",
        sequential(STEPS, layer("Bidirectional", layer("RNN", layer("GRUCell", 2))), dense(2)),
    )

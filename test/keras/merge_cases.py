# SPDX-License-Identifier: Apache-2.0
"""Layers that join tensors: merges and attention."""

from case_builder import EAGER, MSE, adam, case, functional

JOINS = ("Add", "Multiply", "Average", "Maximum", "Minimum")
PADDED = dict(formula="padded_wave")


def cases(profile):
    for kind in JOINS + ("Subtract", "Concatenate"):
        yield case(57, kind.lower() + " two", joined(kind, 2))
    for kind in JOINS + ("Concatenate",):
        yield case(57, kind.lower() + " three", joined(kind, 3))
    for kind in ("Add", "Multiply", "Average", "Maximum"):
        yield case(57, kind.lower() + " broadcast", joined(kind, 2, shapes=((3, 4), (1, 4))))
    for kind in ("Add", "Subtract", "Minimum"):
        yield case(57, kind.lower() + " of different ranks", joined(kind, 2, shapes=((3, 4), (4,))))
    for axis, second in ((1, (2, 4)), (2, (3, 2)), (-1, (3, 2))):
        yield case(57, "concatenate axis {}".format(axis), concatenated(axis, second))
    yield case(57, "concatenate images", concatenated(3, (3, 2, 1), (3, 2, 2)))
    yield from dot_cases()


def joined(kind, count, shapes=None):
    @functional(*(shapes or [(4,)] * count))
    def build(keras, *inputs):
        parts = [keras.layers.Dense(3, activation="tanh")(x) for x in inputs]
        return keras.layers.Dense(2)(getattr(keras.layers, kind)()(parts))

    return build


def concatenated(axis, second, first=(3, 4)):
    @functional(first, second)
    def build(keras, a, b):
        a, b = (keras.layers.Activation("tanh")(x) for x in (a, b))
        return keras.layers.Dense(2)(keras.layers.Concatenate(axis=axis)([a, b]))

    return build


def dot_cases():
    def dot(name, first, second, axes, **keywords):
        @functional(first, second)
        def build(keras, a, b):
            a, b = keras.layers.Dense(3)(a), keras.layers.Dense(3)(b)
            return keras.layers.Dense(2)(keras.layers.Dot(axes=axes, **keywords)([a, b]))

        return case(57, "dot " + name, build)

    yield dot("of vectors", (4,), (4,), 1)
    yield dot("of vectors, normalized", (4,), (2,), -1, normalize=True)
    yield dot("of matrices", (2, 4), (5, 4), 2)
    yield dot("of matrices, axes 1 1", (2, 4), (2, 3), 1)
    yield dot("of matrices, axes 2 1", (2, 4), (3, 4), (2, 1))
    yield dot("of a matrix and a vector", (2, 4), (4,), (2, 1))
    yield dot("of matrices, normalized", (2, 4), (5, 4), (2, 2), normalize=True)


# --- attention ----------------------------------------------------------------------------------------------------


def attention_cases(profile):
    for kind in ("Attention", "AdditiveAttention"):
        yield case(62, kind + " of query and value", attention(kind), only=EAGER)
        yield case(62, kind + " with key", attention(kind, key=True), only=EAGER)
        yield case(62, kind + " with scale", attention(kind, key=True, use_scale=True), only=EAGER)
        yield case(62, kind + " without scale", attention(kind, use_scale=False), only=EAGER)
        yield case(62, kind + " masked value", attention(kind, masks=(False, True)), inputs=[{}, PADDED], only=EAGER)
        yield case(
            62,
            kind + " masked query and value",
            attention(kind, masks=(True, True)),
            inputs=[PADDED, PADDED],
            only=EAGER,
        )
        yield case(62, kind + " causal", attention(kind, causal=True), only=EAGER)
    yield case(62, "Attention concat score", attention("Attention", key=True, score_mode="concat"), only=EAGER)
    yield case(62, "Attention scores", attention_scores, [MSE, MSE], only=EAGER)
    yield from multi_head_cases()
    yield case(62, "grouped query attention", grouped_attention, only=("keras3",))


def attention(kind, key=False, masks=(False, False), causal=False, **keywords):
    @functional((3, 4), (5, 2))
    def build(keras, q, v):
        layers = keras.layers
        if masks[0]:
            q = layers.Masking()(q)
        if masks[1]:
            v = layers.Masking()(v)
        q, value = layers.Dense(3)(q), layers.Dense(3)(v)
        arguments = [q, value] + ([layers.Dense(3)(v)] if key else [])
        more = dict(use_causal_mask=True) if causal else {}
        return layers.Dense(2)(getattr(layers, kind)(**keywords)(arguments, **more))

    return build


@functional((3, 4), (5, 4))
def attention_scores(keras, q, v):
    result, scores = keras.layers.Attention()([q, v], return_attention_scores=True)
    return [keras.layers.Dense(2)(result), keras.layers.Dense(2)(scores)]


@functional((3, 4))
def grouped_attention(keras, x):
    layer = keras.layers.GroupQueryAttention(head_dim=2, num_query_heads=4, num_key_value_heads=2)
    return keras.layers.Dense(2)(layer(x, x))


def multi_head_cases():
    def multi(name, shapes=((3, 4),), inputs=None, optimizer=None, **options):
        more = dict(inputs=inputs) if inputs else {}
        return case(62, "multi head " + name, multi_head(shapes, **options), optimizer=optimizer, only=EAGER, **more)

    two = ((3, 4), (5, 2))
    yield multi("self", heads=2, key_dim=2, optimizer=adam())
    yield multi("self causal", heads=2, key_dim=2, call=dict(use_causal_mask=True))
    yield multi("cross", two, heads=2, key_dim=3, value_dim=2, optimizer=adam())
    yield multi("cross with key", two, heads=2, key_dim=2, key=True)
    yield multi("without bias", heads=2, key_dim=2, use_bias=False)
    yield multi("output shape", heads=2, key_dim=2, output_shape=3)
    yield multi("attention axes", ((2, 3, 4),), heads=2, key_dim=2, attention_axes=(2,))
    yield multi("two attention axes", ((2, 3, 4),), heads=1, key_dim=2, attention_axes=(1, 2))
    yield multi("masked", inputs=[PADDED], masked=True, heads=2, key_dim=2)
    yield multi("with dropout 0", heads=2, key_dim=2, dropout=0.0)
    yield case(
        62,
        "multi head attention mask",
        masked_heads,
        inputs=[{}, dict(formula="ids", modulo=2, dtype="float32")],
        only=EAGER,
    )
    yield case(62, "multi head scores", heads_with_scores, [MSE, MSE], only=EAGER)


def multi_head(shapes, heads, key=False, masked=False, call=None, **options):
    @functional(*shapes)
    def build(keras, q, v=None):
        if masked:
            q = keras.layers.Masking()(q)
        v = q if v is None else v
        more = dict(call or {}, key=keras.layers.Dense(3)(v)) if key else call or {}
        return keras.layers.Dense(2)(keras.layers.MultiHeadAttention(heads, **options)(q, v, **more))

    return build


@functional((3, 4), (3, 3))
def masked_heads(keras, x, mask):
    return keras.layers.MultiHeadAttention(2, 2)(x, x, attention_mask=mask)


@functional((3, 4))
def heads_with_scores(keras, x):
    result, scores = keras.layers.MultiHeadAttention(2, 2)(x, x, return_attention_scores=True)
    return [keras.layers.Dense(2)(result), keras.layers.Dense(2)(scores)]

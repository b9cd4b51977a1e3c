// SPDX-License-Identifier: Apache-2.0
// What parse_keras_json leaves in LayerSpec::attributes: the contract between src/spec and src/engine. No code.
//
// Every attribute below is always present (unless it says otherwise), under Keras's name, with Keras's default where
// the file is silent:
//
//   class                         attribute        type      meaning
//   Dense                         units            integer
//                                 activation       string    see below
//                                 use_bias         boolean
//   EinsumDense                   equation         string    without spaces
//                                 output_shape     list      as written, -1 for null
//                                 bias_axes        string    empty: no bias
//                                 activation, use_bias       as Dense
//   Activation                    activation       string
//   ActivityRegularization        l1, l2           number
//   Dropout, SpatialDropout1D/2D/3D, AlphaDropout
//                                 rate             number    0 <= rate < 1; Dropout of Keras 3: 1 gives zeros
//                                 noise_shape      list      extents with the batch axis first, which is -1 (each
//                                                            example its own) or 1; empty: the input's shape
//                                 seed             integer   missing where the file gives none
//   GaussianDropout               rate, seed
//   GaussianNoise                 stddev, seed
//   SpatialDropout2D/3D           data_format      string    settled in noise_shape
//   Flatten                       data_format      string    "channels_first" moves axis 1 behind the others first
//   Reshape                       target_shape     list      without the batch axis, -1 resolved
//   Permute                       dims             list      as Keras writes it, from 1
//   RepeatVector                  n                integer
//   Conv1D, Conv2D, Conv3D        filters          integer
//                                 kernel_size, strides, dilation_rate   list of an extent for each spatial axis
//                                 padding          string    "valid", "same" or (1D) "causal" (arithmetic: padding.hpp)
//                                 data_format      string    "channels_last" or "channels_first"
//                                 groups           integer
//                                 activation, use_bias       as Dense
//   Conv1DTranspose, 2D, 3D       as Conv; groups is 1
//                                 output_padding   list      empty where there is none
//   DepthwiseConv1D, 2D           as Conv without filters and groups; weight "depthwise_kernel"
//                                 depth_multiplier integer
//   SeparableConv1D, 2D           as DepthwiseConv, and filters; weights "depthwise_kernel", "pointwise_kernel"
//   MaxPooling1D, 2D, 3D,         pool_size, strides         list; strides defaults to pool_size
//   AveragePooling1D, 2D, 3D      padding, data_format       as Conv
//   GlobalAveragePooling1D, 2D,   data_format      string
//   3D, GlobalMaxPooling1D, ...   keepdims         boolean
//   AdaptiveAveragePooling1D, 2D, output_size      list
//   3D, AdaptiveMaxPooling1D, ... data_format      string
//   UpSampling1D, 2D, 3D          size             list
//                                 interpolation    string    2D alone: "nearest", "bilinear", "bicubic",
//                                                            "lanczos3" or "lanczos5"
//                                 data_format      string
//   ZeroPadding1D, 2D, 3D         padding          list      before and after each axis: top, bottom, left, right
//                                 data_format      string
//   Cropping1D, 2D, 3D            cropping         list      as padding
//                                 data_format      string
//   Resizing                      height, width    integer
//                                 interpolation    string    as UpSampling2D
//                                 crop_to_aspect_ratio, pad_to_aspect_ratio, antialias   boolean
//                                 fill_value       number    of what pad_to_aspect_ratio adds
//                                 data_format      string
//   CenterCrop, RandomCrop        height, width    integer
//                                 data_format      string
//   Rescaling                     scale, offset    numbers   one, or one for each element of the last axis
//   RandomFlip                    mode             string    "horizontal", "vertical", "horizontal_and_vertical"
//                                 data_format      string    as of all that follow
//   RandomRotation                factor           numbers   least, largest part of a whole turn
//   RandomTranslation             height_factor, width_factor   numbers   least, largest part of the extent
//   RandomZoom                    height_factor    numbers   least, largest change of 1
//                                 width_factor     numbers   empty: as the height's, drawn once for both
//   RandomRotation, ..., Zoom     fill_mode        string    "reflect", "constant", "wrap", "nearest"
//                                 fill_value       number
//                                 interpolation    string    "bilinear" or "nearest"
//   RandomContrast                factor           numbers   {a, b}: of 1 - a to 1 + b
//                                 value_range      numbers   least, largest value
//   RandomBrightness              factor           numbers   least, largest part of the range that is added
//                                 value_range      numbers
//   BatchNormalization            axis             integer   see below
//                                 momentum, epsilon          number
//                                 center, scale    boolean   whether beta, gamma are among the weights
//   LayerNormalization            axis             list      see below; in the order of the weights' axes
//                                 epsilon, center, scale     as BatchNormalization
//                                 rms_scaling      boolean   center is then false, scale true
//   RMSNormalization              axis             list
//                                 epsilon          number
//   GroupNormalization            axis             integer
//                                 groups           integer   -1 resolved
//                                 epsilon, center, scale     as BatchNormalization
//   UnitNormalization             axis             list
//   Normalization                 axis             list      sorted; the axes that have statistics of their own
//                                 has_statistics   boolean   whether mean, variance, count are among the weights
//                                 mean, variance   numbers   else: one, or one per element of the axes
//                                 invert           boolean
//   Concatenate                   axis             integer   see below
//   Dot                           axes             list of 2 one for each input, as `axis`
//                                 normalize        boolean
//   Softmax                       axis             list      see below
//   ReLU                          max_value        number    +infinity where Keras has null
//                                 negative_slope, threshold  number
//   LeakyReLU                     alpha            number    Keras 3's negative_slope
//   ELU                           alpha            number
//   ThresholdedReLU               theta            number
//   PReLU                         shared_axes      list      as Keras writes it, from 1
//   LayerScale                    init_values      number
//                                 projection_dim   integer
//   InputLayer, Identity, Add, Subtract, Multiply, Average, Maximum, Minimum   none
//
// Sequences (src/spec/layers: embedding, recurrent, convolutional_recurrent, wrappers, attention):
//
//   Embedding                     input_dim, output_dim      integer
//                                 mask_zero        boolean
//                                 input_length     list      checked against the input, 0: open; empty: not given
//   Masking                       mask_value       number
//   SimpleRNN, SimpleRNNCell,     units            integer
//   LSTM, LSTMCell,               activation       string
//   GRU, GRUCell                  recurrent_activation       string, not of SimpleRNN
//                                 use_bias         boolean
//                                 dropout, recurrent_dropout number, 0 <= rate < 1
//                                 dropout_per_gate boolean   each gate has masks of its own (implementation 1)
//   LSTM, LSTMCell                unit_forget_bias boolean   in force through InitializerSpec::unit_forget_parts
//   GRU, GRUCell                  reset_after      boolean
//   SimpleRNN, LSTM, GRU, RNN     return_sequences, return_state, go_backwards, zero_output_for_mask   boolean
//   CuDNNLSTM, CuDNNGRU           as LSTM and GRU; what they compute is fixed
//   RNN                           and one child, "cell"
//   StackedRNNCells               none; children "cell_0", "cell_1", ...
//   ConvLSTM1D, 2D, 3D            as LSTM, with filters instead of units, kernel_size, strides, dilation_rate, padding,
//                                 data_format as of the convolution of that rank
//   Bidirectional                 merge_mode       string    "concat", "sum", "mul", "ave" or "none"; children
//                                                  "forward" and "backward", the latter in the other direction
//   TimeDistributed               none; one child, "layer"
//   Functional                    wiring           list      a model that TimeDistributed wraps. Per call: child,
//                                                  number of inputs, and of each the call that gives it, or
//                                                  -1 - index of the model's input
//                                 output           integer   the call that gives the output, or as above
//   Attention, AdditiveAttention  use_scale, causal          boolean
//                                 dropout          number
//   Attention                     score_mode       string    "dot" or "concat"
//                                 concat_score     boolean   the latter
//   MultiHeadAttention,           num_heads, num_key_value_heads, key_dim, value_dim   integer
//   GroupQueryAttention           use_bias         boolean
//                                 output_shape     list      of the axes after the data's
//                                 attention_axes   list      ascending, without the batch axis
//                                 dropout          number
//
// Call arguments of attention: return_attention_scores, use_causal_mask (boolean, where given). A call's inputs are
// told apart by their roles (call_inputs.hpp, attention_inputs.hpp).
//
// `axis` is not negative and does not count the batch axis: the channels of (height, width, channels) are axis 2.
// `activation` is a name of keras.activations, "linear" where there is none; swish is written silu, hard_swish
// hard_silu. What "hard_sigmoid" computes depends on ModelSpec::profile: relu6(x + 3) / 6 for kKeras3, else
// clip(0.2 x + 0.5, 0, 1). An activation layer given as a function keeps its parameters in the text, "leaky_relu(0.1)":
// activation_names.hpp.
// Operation nodes (class "ops.<name>"; NodeSpec::roles tell which operand an input is: "" of the only one and of lists,
// else "x1", "x2", "condition"). Truth values are 0 and 1. An operand that is a constant is an attribute of its name
// instead of an input: a number, or numbers in C order with the list <name>_shape, which numpy's rules align with the
// tensors (batch axis included).
//   add, subtract, multiply, divide, power, maximum, minimum, squared_difference, not_equal, equal, greater,
//   greater_equal, less, less_equal, logical_and, logical_or, logical_xor      operands x1, x2
//   matmul                     operands x1, x2; transpose_a, transpose_b   boolean
//   where                      operands condition, x1, x2
//   mean, sum, max, min, any, all   axes   list, sorted, without the batch; keepdims   boolean
//   softmax, log_softmax, concatenate, stack   axis   integer, see below (of stack: in the output)
//   transpose                  axes   list: of the input, without the batch, in the order of the output
//   reshape, expand_dims, squeeze   the output's shape says all
//   pad                        pads   list: before, after of each axis; constant_values   number
//   getitem                    starts, counts, steps   lists, of each axis of the input; then the output's shape
//   clip                       x_min, x_max   number, infinite where open
//   cast                       to   string   "float32", "int32" (truncates), "bool"
//   gelu approximate boolean; leaky_relu negative_slope number; elu alpha number
//   all others                 none
// `seed` of the layers Random... is not kept: random streams are the engine's.
#pragma once

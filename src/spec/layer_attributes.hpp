// SPDX-License-Identifier: Apache-2.0
// What parse_keras_json leaves in LayerSpec::attributes: the contract between src/spec and src/engine. No code.
//
// Every attribute below is always present (unless it says otherwise), under Keras's name, with Keras's default where the file is silent:
//
//   class                         attribute        type      meaning
//   Dense                         units            integer
//                                 activation       string    see below
//                                 use_bias         boolean
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
//   Conv2D                        filters          integer
//                                 kernel_size, strides, dilation_rate   list of 2 (height, width)
//                                 padding          string    "valid" or "same" (arithmetic: padding.hpp)
//                                 data_format      string    always "channels_last"
//                                 groups           integer
//                                 activation, use_bias       as Dense
//   MaxPooling2D,                 pool_size, strides         list of 2; strides defaults to pool_size
//   AveragePooling2D              padding, data_format       as Conv2D
//   GlobalAveragePooling2D,       data_format      string    always "channels_last"
//   GlobalMaxPooling2D            keepdims         boolean
//   ZeroPadding2D                 padding          list of 4 top, bottom, left, right
//                                 data_format      string    always "channels_last"
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
//   InputLayer, Identity, Add, Subtract, Multiply, Average, Maximum, Minimum   none
//
// `axis` is not negative and does not count the batch axis: the channels of (height, width, channels) are axis 2.
// `activation` is a name of keras.activations, "linear" where there is none; swish is written silu, hard_swish
// hard_silu. What "hard_sigmoid" computes depends on ModelSpec::profile: relu6(x + 3) / 6 for kKeras3, else
// clip(0.2 x + 0.5, 0, 1). An activation layer given as a function keeps its parameters in the text, "leaky_relu(0.1)":
// activation_names.hpp.
#pragma once

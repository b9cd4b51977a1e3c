// SPDX-License-Identifier: Apache-2.0
// What parse_keras_json leaves in LayerSpec::attributes: the contract between src/spec and src/engine. No code.
//
// Every attribute below is always present, under Keras's name, with Keras's default where the file is silent:
//
//   class                         attribute        type      meaning
//   Dense                         units            integer
//                                 activation       string    see below
//                                 use_bias         boolean
//   Activation                    activation       string
//   Dropout                       rate             number    0 <= rate < 1
//   Flatten                       data_format      string    "channels_first" moves the channels last before
//   Reshape                       target_shape     list      without the batch axis, -1 resolved
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
//   Concatenate, Softmax          axis             integer   see below
//   ReLU                          max_value        number    +infinity where Keras has null
//                                 negative_slope, threshold  number
//   LeakyReLU                     alpha            number    Keras 3's negative_slope
//   InputLayer, Add               none
//
// `axis` is not negative and does not count the batch axis: the channels of (height, width, channels) are axis 2.
// `activation` is a name of keras.activations, "linear" where there is none; swish is written silu, hard_swish
// hard_silu. What "hard_sigmoid" computes depends on ModelSpec::profile: relu6(x + 3) / 6 for kKeras3, else
// clip(0.2 x + 0.5, 0, 1).
// `seed` of Dropout and of the layers Random... is not kept: random streams are the engine's.
#pragma once

// SPDX-License-Identifier: Apache-2.0
// Embedding, masks, recurrent layers and their wrappers: values worked out by hand, the two ways to compute a cell
// against each other, and gradients against finite differences.
#include <gtest/gtest.h>

#include "engine/flat_state.hpp"
#include "engine/recurrent_loops.hpp"
#include "gradient_check.hpp"
#include "layer_network.hpp"
#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

using Floats = std::vector<float>;

std::string wrapped(const std::string& class_name, const std::string& config) {
  return R"({"class_name":")" + class_name + R"(","config":{"name":"w",)" + config + "}}";
}

// ---- Embedding

TEST(EmbeddingTest, FloatsAreTruncatedToIds) {
  const ModelSpec spec = network_of({3}, {{"Embedding", R"("input_dim":3,"output_dim":2)"}});
  EXPECT_EQ(outputs_of(spec, {2.9F, 0.0F, 1.2F}, {1, 2, 3, 4, 5, 6}), Floats({5, 6, 1, 2, 3, 4}));
}

TEST(EmbeddingTest, IdsOutsideTheTableAreNamed) {
  const ModelSpec spec = network_of({2}, {{"Embedding", R"("input_dim":3,"output_dim":2)"}});
  for (const float id : {3.0F, -1.0F}) {
    try {
      outputs_of(spec, {0.0F, id});
      ADD_FAILURE() << "id " << id << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_NE(std::string(error.what()).find("layer \"layer_0\": id " + std::to_string(static_cast<int>(id))),
                std::string::npos)
          << error.what();
    }
  }
}

// ---- Masks. A SimpleRNN that adds up: state' = state + input.

const char* const kSum = R"("units":1,"activation":"linear")";
const Floats kSumWeights = {1, 1, 0};

Floats masked_sums(const std::string& more, SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  const ModelSpec spec = network_of({4, 1}, {{"Masking", ""}, {"SimpleRNN", kSum + more}}, profile);
  return outputs_of(spec, {0, 2, 0, 5}, kSumWeights);
}

TEST(MaskTest, MaskedStepsKeepTheState) {
  EXPECT_EQ(masked_sums(""), Floats({7}));
  EXPECT_EQ(masked_sums(R"(,"return_sequences":true)"), Floats({0, 2, 2, 7}));
  EXPECT_EQ(masked_sums(R"(,"return_sequences":true,"go_backwards":true)"), Floats({5, 5, 7, 7}));
}

TEST(MaskTest, MaskedOutputsMayBeZero) {
  EXPECT_EQ(masked_sums(R"(,"return_sequences":true,"zero_output_for_mask":true)"), Floats({0, 2, 0, 7}));
}

TEST(MaskTest, BidirectionalZeroesMaskedStepsButInKeras22) {
  const auto outputs = [](SemanticsProfile profile) {
    const std::string inner =
        R"("merge_mode":"sum","layer":)" + wrapped("SimpleRNN", std::string(kSum) + R"(,"return_sequences":true)");
    Floats weights = kSumWeights;
    weights.insert(weights.end(), kSumWeights.begin(), kSumWeights.end());
    return outputs_of(network_of({4, 1}, {{"Masking", ""}, {"Bidirectional", inner}}, profile), {0, 2, 0, 5}, weights);
  };
  EXPECT_EQ(outputs(SemanticsProfile::kTf2), Floats({0, 9, 0, 12}));
  EXPECT_EQ(outputs(SemanticsProfile::kKeras22), Floats({7, 9, 7, 12}));
}

TEST(MaskTest, EmbeddingMasksIdZero) {
  const ModelSpec spec =
      network_of({3}, {{"Embedding", R"("input_dim":3,"output_dim":1,"mask_zero":true)"}, {"SimpleRNN", kSum}});
  EXPECT_EQ(outputs_of(spec, {1, 0, 2}, {100, 1, 10, 1, 1, 0}), Floats({11}));
}

TEST(MaskTest, StackedCellsSeeTheMaskInTheDirectionOfTheirLoop) {
  const std::string cells = R"("go_backwards":true,"return_sequences":true,"cell":[)" + wrapped("SimpleRNNCell", kSum) +
                            "," + wrapped("SimpleRNNCell", kSum) + "]";
  const ModelSpec spec = network_of({4, 1}, {{"Masking", ""}, {"RNN", cells}});
  EXPECT_EQ(outputs_of(spec, {0, 2, 0, 5}, {1, 1, 0, 1, 1, 0}), Floats({5, 5, 12, 12}));
}

// ---- One step

/// h and c after the step from h = 0.5, c = 0.25 on x = 1.
TEST(CellTest, LstmTakesItsStep) {
  const auto outputs = [](const std::string& gates, SemanticsProfile profile) {
    const std::string config = R"("units":1,"return_state":true,"recurrent_activation":")" + gates + "\"";
    const std::string text =
        R"({"class_name":"Functional","keras_version":"2.10.0","config":{"name":"m","layers":[
        {"class_name":"InputLayer","name":"x","config":{"name":"x","batch_input_shape":[null,1,1]},"inbound_nodes":[]},
        {"class_name":"InputLayer","name":"h","config":{"name":"h","batch_input_shape":[null,1]},"inbound_nodes":[]},
        {"class_name":"InputLayer","name":"c","config":{"name":"c","batch_input_shape":[null,1]},"inbound_nodes":[]},
        {"class_name":"LSTM","name":"l","config":{"name":"l",)" +
        config + R"(},"inbound_nodes":[[["x",0,0,{}],["h",0,0,{}],["c",0,0,{}]]]}],
        "input_layers":[["x",0,0],["h",0,0],["c",0,0]],"output_layers":[["l",0,0],["l",0,2]]}})";
    initialize_engine({});
    TrainSpec train;
    train.losses.resize(2);
    const auto model = compile_model(parse_keras_json(text, {}, profile), train, {}, {});
    const auto state = model->initial_state(1);
    state->set_weights(Floats({0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F, 0.7F, 0.8F, 0, 1, 0, 0}));
    const float x = 1, h = 0.5F, c = 0.25F;
    Examples examples;
    examples.rows = 1;
    for (const float* value : {&x, &h, &c}) {
      examples.independent.push_back({reinterpret_cast<const std::byte*>(value), ElementType::kFloat32, 1});
    }
    Floats result(2);
    make_executor({})->predict(*model, *state, examples, result, {});
    return result;
  };
  expect_near(outputs("sigmoid", SemanticsProfile::kTf2), {0.3400161F, 0.5397453F}, 1e-6F);
  expect_near(outputs("hard_sigmoid", SemanticsProfile::kTf2), {0.3182546F, 0.5258519F}, 1e-6F);
  expect_near(outputs("hard_sigmoid", SemanticsProfile::kKeras3), {0.2959923F, 0.5066824F}, 1e-6F);
}

TEST(CellTest, InitialBiasOfTheForgetGateIsOne) {
  const auto bias = [](const char* class_name) {
    initialize_engine({});
    const ModelSpec spec = network_of({2, 1}, {{class_name, R"("units":1)"}});
    TrainSpec train;
    train.losses.resize(1);
    const auto model = compile_model(spec, train, {}, {});
    const Floats weights = test::weights_of(*model, *model->initial_state(1));
    return Floats(weights.begin() + 8, weights.end());
  };
  EXPECT_EQ(bias("LSTM"), Floats({0, 1, 0, 0}));
  EXPECT_EQ(bias("CuDNNLSTM"), Floats({0, 0, 0, 0, 0, 1, 0, 0}));
}

// ---- Loops against expressions: an activation that the loops lack has the layer computed by expressions.

TEST(LoopTest, KnowsTheFunctionsOfBothGenerations) {
  EXPECT_EQ(loop_activation("hard_sigmoid", SemanticsProfile::kTf2), LoopActivation::kHardSigmoidKeras2);
  EXPECT_EQ(loop_activation("hard_sigmoid", SemanticsProfile::kKeras3), LoopActivation::kHardSigmoidKeras3);
  EXPECT_FALSE(loop_activation("softsign", SemanticsProfile::kTf2));
}

/// Recurrent dropout of next to nothing drops nothing here, but is for expressions alone.
TEST(LoopTest, GivesWhatTheExpressionGives) {
  for (const char* kind : {"SimpleRNN", "LSTM", "GRU"}) {
    for (const char* more : {"", R"(,"reset_after":false)", R"(,"use_bias":false)", R"(,"go_backwards":true)",
                             R"(,"recurrent_activation":"hard_sigmoid","activation":"relu")"}) {
      if (std::string(kind) != "GRU" && std::string(more).find("reset") != std::string::npos) continue;
      if (std::string(kind) == "SimpleRNN" && std::string(more).find("hard") != std::string::npos) continue;
      const auto gradients = [&](const std::string& dropout, std::int64_t rows) {
        initialize_engine({});
        const std::string config = R"("units":5,"return_sequences":true)" + std::string(more) + dropout;
        LossFunction loss(network_of({6, 3}, {{"Dense", R"("units":4)"}, {kind, config}}), LossKind::kMeanSquaredError,
                          rows);
        const double value = loss();
        Floats values = loss.gradients();
        values.push_back(static_cast<float>(value));
        return values;
      };
      SCOPED_TRACE(std::string(kind) + more);
      // The kernels' gradients of all steps at once, of four and of one.
      for (const std::int64_t rows : {7, 120, 600}) {
        expect_near(gradients("", rows), gradients(R"(,"recurrent_dropout":1e-12)", rows), 1e-6F);
      }
    }
  }
}

// ---- Dropout

TEST(RecurrentDropoutTest, IsTheSameAtEveryStep) {
  const ModelSpec spec = network_of({3, 4}, {{"SimpleRNN", R"("units":4,"activation":"linear","dropout":0.5,
      "kernel_initializer":"identity","recurrent_initializer":"zeros","return_sequences":true)"}});
  initialize_engine({});
  const ComputeScope scope;
  const Network network(spec, test::train_spec(LossKind::kMeanSquaredError, test::sgd(0.1), 8), {}, {12});
  FlatState state(std::make_shared<StateLayout>(network.layout()), {}, 5);
  state.initialize();
  Plan plan(network, Purpose::kTraining, 8);
  plan.bind(state);
  test::Dataset data(8, 12, 12);
  data.features.assign(96, 1.0F);
  const Examples examples = data.examples();
  BatchBuilder batch;
  batch.begin(examples);
  batch.add(examples, 0, 8);
  plan.load(batch.rows());
  plan.run_forward({1, 2});
  Floats outputs(96);
  plan.copy_outputs(outputs.data());
  int dropped = 0;
  for (int row = 0; row < 8; ++row) {
    for (int i = 0; i < 4; ++i) {
      const float first = outputs[row * 12 + i];
      EXPECT_TRUE(first == 0.0F || first == 2.0F);
      dropped += first == 0.0F ? 1 : 0;
      EXPECT_EQ(outputs[row * 12 + 4 + i], first);
      EXPECT_EQ(outputs[row * 12 + 8 + i], first);
    }
  }
  EXPECT_GT(dropped, 4);
  EXPECT_LT(dropped, 28);
}

// ---- Gradients

class RecurrentGradientTest : public ::testing::TestWithParam<GradientCase> {};

TEST_P(RecurrentGradientTest, AgreesWithFiniteDifferences) {
  expect_gradients_of_differences(GetParam());
}

/// A layer between two Dense, so that its input has a gradient too.
ModelSpec between(const std::string& kind, const std::string& config, const Shape& input = {4, 3}) {
  return network_of(input, {{"Dense", R"("units":3)"}, {kind, config}, {"Flatten", ""}, {"Dense", R"("units":2)"}});
}

/// Features below zero become zeros, whose steps are masked.
ModelSpec masked_between(const std::string& kind, const std::string& config) {
  return network_of({5, 1}, {{"Activation", R"("activation":"relu")"},
                             {"Masking", ""},
                             {"Dense", R"("units":3)"},
                             {kind, config},
                             {"Flatten", ""},
                             {"Dense", R"("units":2)"}});
}

std::vector<GradientCase> gradient_cases() {
  const std::string sequences = R"("units":3,"return_sequences":true)";
  const std::string forward = R"("layer":)" + wrapped("LSTM", sequences);
  const std::string model = R"({"class_name":"Sequential","config":{"name":"s","layers":[)" +
                            wrapped("Conv2D", R"("filters":2,"kernel_size":2)") +
                            R"(,{"class_name":"Flatten","config":{"name":"f"}}]}})";
  return {
      {"embedding", network_of({4}, {{"Embedding", R"("input_dim":3,"output_dim":3)"}, {"Flatten", ""}})},
      {"simple_rnn", between("SimpleRNN", sequences)},
      {"simple_rnn_backwards", between("SimpleRNN", sequences + R"(,"go_backwards":true)")},
      {"lstm", between("LSTM", R"("units":3)")},
      {"lstm_sequences", between("LSTM", sequences)},
      {"lstm_softsign", between("LSTM", sequences + R"(,"activation":"softsign")"), LossKind::kMeanSquaredError, true},
      {"lstm_dropout", between("LSTM", sequences + R"(,"dropout":0.4)")},
      {"lstm_recurrent_dropout", between("LSTM", sequences + R"(,"dropout":0.3,"recurrent_dropout":0.4)")},
      {"lstm_masked", masked_between("LSTM", sequences)},
      {"lstm_masked_zeroes", masked_between("LSTM", sequences + R"(,"zero_output_for_mask":true)")},
      {"gru_reset_after", between("GRU", sequences)},
      {"gru_reset_before", between("GRU", sequences + R"(,"reset_after":false)")},
      {"gru_masked", masked_between("GRU", R"("units":3)")},
      {"gru_reset_before_masked", masked_between("GRU", sequences + R"(,"reset_after":false)")},
      {"gru_recurrent_dropout", between("GRU", sequences + R"(,"recurrent_dropout":0.4)")},
      {"cudnn_lstm", between("CuDNNLSTM", sequences)},
      {"cudnn_gru", between("CuDNNGRU", sequences)},
      {"conv_lstm_2d", network_of({3, 4, 3, 1}, {{"ConvLSTM2D", R"("filters":2,"kernel_size":2,
          "recurrent_activation":"sigmoid")"},
                                                 {"Flatten", ""}})},
      {"conv_lstm_1d_dropout",
       network_of({3, 4, 2}, {{"ConvLSTM1D", R"("filters":2,"kernel_size":2,"padding":"same","dropout":0.3,
           "recurrent_dropout":0.3,"recurrent_activation":"sigmoid","return_sequences":true)"},
                              {"Flatten", ""}})},
      {"conv_lstm_2d_channels_first",
       network_of({3, 1, 4, 3}, {{"ConvLSTM2D", R"("filters":2,"kernel_size":2,"data_format":"channels_first",
           "recurrent_activation":"sigmoid","return_sequences":true)"},
                                 {"Flatten", ""}})},
      {"bidirectional", between("Bidirectional", forward)},
      {"bidirectional_mul", between("Bidirectional", forward + R"(,"merge_mode":"mul")")},
      {"stacked_cells", between("RNN", R"("return_sequences":true,"cell":[)" + wrapped("LSTMCell", R"("units":3)") +
                                           "," + wrapped("GRUCell", R"("units":2)") + "]")},
      {"time_distributed_dense", between("TimeDistributed", R"("layer":)" + wrapped("Dense", R"("units":2)"))},
      {"time_distributed_lstm",
       network_of({2, 3, 2}, {{"Dense", R"("units":2)"},
                              {"TimeDistributed", R"("layer":)" + wrapped("LSTM", R"("units":2)")},
                              {"Flatten", ""}})},
      {"time_distributed_model", network_of({3, 3, 4, 1}, {{"Dense", R"("units":2)"},
                                                           {"TimeDistributed", R"("layer":)" + model},
                                                           {"Flatten", ""},
                                                           {"Dense", R"("units":2)"}})},
  };
}

INSTANTIATE_TEST_SUITE_P(Layers, RecurrentGradientTest, ::testing::ValuesIn(gradient_cases()),
                         [](const auto& info) { return std::string(info.param.name); });

// ---- TimeDistributed

TEST(TimeDistributedTest, BatchStatisticsAreOfAStepInKeras3Alone) {
  const auto outputs = [](SemanticsProfile profile) {
    const std::string inner =
        R"("layer":)" + wrapped("BatchNormalization", R"("epsilon":0,"center":false,"scale":false)");
    return training_outputs(network_of({2, 1}, {{"TimeDistributed", inner}}, profile), {1, 10, 3, 20}, {1, 2});
  };
  expect_near(outputs(SemanticsProfile::kKeras3), {-1, -1, 1, 1}, 1e-4F);
  expect_near(outputs(SemanticsProfile::kTf2), {-1.0090F, 0.2018F, -0.7399F, 1.5471F}, 1e-3F);
}

}  // namespace
}  // namespace modelhop::engine

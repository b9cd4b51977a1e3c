// SPDX-License-Identifier: Apache-2.0
// Grid texts in MADlib's spelling.
#include "spec/search_space.hpp"

#include "samples.hpp"

namespace modelhop {
namespace {

using Texts = std::vector<std::string>;
constexpr auto kInvalid = ErrorCode::kInvalidArgument;

SearchSpace space_of(const std::string& optimizers) {
  return parse_search_space("{'loss': ['mse'], 'optimizer_params_list': [" + optimizers + "]}", "{'epochs': [1]}");
}

TEST(SearchSpace, grid_of_the_user_guide) {
  const SearchSpace space = parse_search_space(
      "{'loss': ['categorical_crossentropy'],\n 'optimizer_params_list': [ {'optimizer': ['adam', 'sgd'], 'lr': "
      "[0.001, "
      ".01, 1e-5]}, {'optimizer': ['rmsprop'], 'lr': [1], 'decay': [0.0, 1e-6]}],\n 'metrics': ['accuracy', None, "
      "['mae', 'mse']]}",
      "{'batch_size': [4, 8], 'epochs': [1], 'shuffle': ['batch', True]}");
  ASSERT_EQ(space.compile.size(), 2U);
  EXPECT_EQ(space.compile[0].name, "loss");
  EXPECT_EQ(space.compile[0].values, (Texts{"'categorical_crossentropy'"}));
  EXPECT_EQ(space.compile[1].values, (Texts{"['accuracy']", "None", "['mae', 'mse']"}));
  ASSERT_EQ(space.optimizers.size(), 2U);
  EXPECT_EQ(space.optimizers[0][0].name, "optimizer");
  EXPECT_EQ(space.optimizers[0][0].values, (Texts{"Adam", "SGD"}));
  EXPECT_EQ(space.optimizers[0][1].name, "lr");
  EXPECT_EQ(space.optimizers[0][1].values, (Texts{"0.001", "0.01", "1e-05"}));
  EXPECT_EQ(space.optimizers[1][0].values, (Texts{"RMSprop"}));
  EXPECT_EQ(space.optimizers[1][2].values, (Texts{"0.0", "1e-06"}));
  ASSERT_EQ(space.fit.size(), 3U);
  EXPECT_EQ(space.fit[0].values, (Texts{"4", "8"}));
  EXPECT_EQ(space.fit[2].values, (Texts{"'batch'", "True"}));
}

TEST(SearchSpace, distributions) {
  const SearchSpace space = space_of(
      "{'optimizer': ['SGD'], 'lr': [0.0001, 0.1, 'log'], 'momentum': [0.1, 0.95, 'log_near_one'], 'decay': [0, 1, "
      "'linear']}");
  const auto& parameters = space.optimizers[0];
  ASSERT_EQ(parameters.size(), 4U);
  EXPECT_EQ(parameters[1].distribution->kind, Distribution::Kind::kLog);
  EXPECT_EQ(parameters[1].distribution->low, 0.0001);
  EXPECT_EQ(parameters[1].distribution->high, 0.1);
  EXPECT_TRUE(parameters[1].values.empty());
  EXPECT_EQ(parameters[2].distribution->kind, Distribution::Kind::kLogNearOne);
  EXPECT_EQ(parameters[3].distribution->kind, Distribution::Kind::kLinear);
}

TEST(SearchSpace, values_by_output_stay_whole) {
  const SearchSpace space = parse_search_space(
      "{'loss': ['mse', ['mse', 'mae'], {'a': 'mse', 'b': 'mae'}], 'loss_weights': [[0.5, 1], {'a': 2}], "
      "'metrics': ['acc', ['acc', 'mse'], [['acc'], []], {'a': 'acc'}, \"{'a': AUC()}\", AUC(curve='PR')], "
      "'weighted_metrics': ['acc'], 'optimizer_params_list': [{'optimizer': ['AdamW', 'lion'], 'lr': [0.1, "
      "ExponentialDecay(0.1, 10, 0.9)], 'weight_decay': [0.01, 0.1], 'clipnorm': [None, 1.0]}]}",
      "{'class_weight': [None, {0: 1.0, 1: 2.0}], 'callbacks': ['[EarlyStopping(patience=2)]', [TerminateOnNaN()]]}");
  ASSERT_EQ(space.compile.size(), 4U);
  EXPECT_EQ(space.compile[0].values, (Texts{"'mse'", "['mse', 'mae']", "{'a': 'mse', 'b': 'mae'}"}));
  EXPECT_EQ(space.compile[1].values, (Texts{"[0.5, 1]", "{'a': 2}"}));
  EXPECT_EQ(space.compile[2].values,
            (Texts{"['acc']", "['acc', 'mse']", "[['acc'], []]", "{'a': 'acc'}", "{'a': AUC()}", "[AUC(curve='PR')]"}));
  EXPECT_EQ(space.compile[3].values, (Texts{"['acc']"}));
  EXPECT_EQ(space.optimizers[0][0].values, (Texts{"AdamW", "Lion"}));
  EXPECT_EQ(space.optimizers[0][1].values, (Texts{"0.1", "ExponentialDecay(0.1, 10, 0.9)"}));
  EXPECT_EQ(space.optimizers[0][3].values, (Texts{"None", "1.0"}));
  EXPECT_EQ(space.fit[0].values, (Texts{"None", "{0: 1.0, 1: 2.0}"}));
  EXPECT_EQ(space.fit[1].values, (Texts{"[EarlyStopping(patience=2)]", "[TerminateOnNaN()]"}));
}

TEST(SearchSpace, default_optimizer_and_whole_optimizers) {
  EXPECT_EQ(space_of("{'lr': [0.1]}").optimizers[0][0].values, (Texts{"RMSprop"}));
  EXPECT_EQ(parse_search_space("{'loss': ['mse']}", "").optimizers[0][0].values, (Texts{"RMSprop"}));
  const SearchSpace whole = parse_search_space("{'loss': ['mse'], 'optimizer': ['sgd', 'Adam(lr=0.1)']}", "");
  EXPECT_EQ(whole.optimizers[0][0].values, (Texts{"SGD", "Adam(lr=0.1)"}));
  EXPECT_TRUE(whole.fit.empty());
}

TEST(SearchSpace, equal_values_count_once) {
  EXPECT_EQ(space_of("{'optimizer': ['adam', 'Adam'], 'lr': [0.1, 1e-1]}").optimizers[0][1].values, (Texts{"0.1"}));
  EXPECT_EQ(space_of("{'optimizer': ['adam', 'Adam']}").optimizers[0][0].values, (Texts{"Adam"}));
}

TEST(SearchSpace, refuses) {
  const auto compile = [](const std::string& text) { return [text] { parse_search_space(text, "{'epochs': [1]}"); }; };
  const auto fit = [](const std::string& text) { return [text] { parse_search_space("{'loss': ['mse']}", text); }; };
  const auto optimizers = [](const std::string& text) { return [text] { space_of(text); }; };
  expect_error(kInvalid, "compile_params_grid must be a dict", compile("['mse']"));
  expect_error(kInvalid, "fit_params_grid must be a dict", fit("8"));
  expect_error(kInvalid, "compile_params_grid: \"loss\" must be a list, not \"'mse'\"", compile("{'loss': 'mse'}"));
  expect_error(kInvalid, "\"batch_size\" must be a list", fit("{'batch_size': 8}"));
  expect_error(kInvalid, "\"batch_size\" is an empty list", fit("{'batch_size': []}"));
  expect_error(kInvalid, "\"banana\" is not currently accepted", compile("{'banana': [1]}"));
  expect_error(kInvalid, "\"validation_split\" is not currently accepted", fit("{'validation_split': [0.1]}"));
  expect_error(kInvalid, "\"loss\" is given twice", compile("{'loss': ['mse'], 'loss': ['mae']}"));
  expect_error(kInvalid, "\"lr\" is given both inside and outside",
               compile("{'lr': [1], 'optimizer_params_list': [{'lr': [2]}]}"));
  expect_error(kInvalid, "\"optimizer\" is given both inside and outside",
               compile("{'optimizer': ['adam'], 'optimizer_params_list': [{'lr': [2]}]}"));
  expect_error(kInvalid, "empty dict", optimizers("{}"));
  expect_error(kInvalid, "must be a dict", optimizers("['adam']"));
  expect_error(kInvalid, "\"nesterov\" is not a parameter of optimizer \"Adam\"",
               optimizers("{'optimizer': ['SGD', 'Adam'], 'nesterov': [True]}"));
  expect_error(kInvalid, "high 0.1 is not above low 0.1", optimizers("{'lr': [0.1, 0.1, 'log']}"));
  expect_error(kInvalid, "is too far to draw from", optimizers("{'lr': [-1e308, 1e308, 'linear']}"));
  expect_error(kInvalid, "not above 0", optimizers("{'lr': [0, 0.1, 'log']}"));
  expect_error(kInvalid, "not below 1", optimizers("{'rho': [0.5, 1.0, 'log_near_one']}"));
  expect_error(kInvalid, "unknown distribution \"normal\"", optimizers("{'lr': [0.1, 0.2, 'normal']}"));
  expect_error(kInvalid, "a distribution", fit("{'batch_size': [8, 64, 'linear']}"));
  expect_error(kInvalid, "position", compile("{'loss': ['mse'"));
  expect_error(kInvalid, "must be a string", compile("{1: ['mse']}"));
  expect_error(kInvalid, "position", compile(""));
}

}  // namespace
}  // namespace modelhop

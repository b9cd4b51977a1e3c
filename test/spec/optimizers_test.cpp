// SPDX-License-Identifier: Apache-2.0
// Optimizers in every accepted form, their defaults by Keras generation, and what is refused.
#include "spec/optimizers.hpp"

#include "models.hpp"
#include "samples.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

using Profile = SemanticsProfile;
constexpr auto kInvalid = ErrorCode::kInvalidArgument;
constexpr auto kUnsupported = ErrorCode::kNotSupported;

const char* const kNames[] = {"SGD",    "RMSprop", "Adam", "AdamW", "Adadelta", "Adagrad",
                              "Adamax", "Nadam",   "Ftrl", "Lion",  "Adafactor"};

OptimizerSpec optimizer(const std::string& text, Profile profile = Profile::kTf2Legacy) {
  return parse_train_params("loss='mse', optimizer=" + text, "", profile).optimizer;
}

TEST(Optimizers, forms_of_madlibs_documents_and_of_keras) {
  const struct {
    const char* text;
    OptimizerKind kind;
    double learning_rate;
  } forms[] = {
      {"'Adam(lr=0.01)'", OptimizerKind::kAdam, 0.01},
      {"SGD(lr=0.01, decay=1e-6, nesterov=True)", OptimizerKind::kSgd, 0.01},
      {"'SGD(lr=0.001,momentum=0.95)'", OptimizerKind::kSgd, 0.001},
      {"'Adam(lr=0.1,decay=0.0001)'", OptimizerKind::kAdam, 0.1},
      {"'adam'", OptimizerKind::kAdam, 0.001},
      {"\"Adam\"", OptimizerKind::kAdam, 0.001},
      {"adam", OptimizerKind::kAdam, 0.001},
      {"Adam", OptimizerKind::kAdam, 0.001},
      {"'SGD'", OptimizerKind::kSgd, 0.01},
      {"'sgd()'", OptimizerKind::kSgd, 0.01},
      {"'Adam()'", OptimizerKind::kAdam, 0.001},
      {"'SGD()'", OptimizerKind::kSgd, 0.01},
      {"SGD()", OptimizerKind::kSgd, 0.01},
      {"Adam(epsilon=None)", OptimizerKind::kAdam, 0.001},
      {"'RMSprop(lr=0.05)'", OptimizerKind::kRmsprop, 0.05},
      {"'Adam(lr=0.001,beta_1=0.9)'", OptimizerKind::kAdam, 0.001},
      {"'rmsprop'", OptimizerKind::kRmsprop, 0.001},
      {"'Adagrad(learning_rate=0.5)'", OptimizerKind::kAdagrad, 0.5},
      {"keras.optimizers.Adam(learning_rate=1e-3)", OptimizerKind::kAdam, 1e-3},
      {"tf.keras.optimizers.legacy.SGD(0.02, momentum=0.9, nesterov=True)", OptimizerKind::kSgd, 0.02},
      {"tf.keras.optimizers.experimental.AdamW(0.02)", OptimizerKind::kAdamw, 0.02},
      {"{'class_name':'Adam','config':{'learning_rate':0.03}}", OptimizerKind::kAdam, 0.03},
      {"\"{'class_name': 'SGD', 'config': {'lr': 1}}\"", OptimizerKind::kSgd, 1.0},
      {"{'module': 'keras.optimizers', 'class_name': 'Lion', 'config': {'learning_rate': 0.5, 'loss_scale_factor': "
       "None, 'name': 'lion'}, 'registered_name': None, 'build_config': {}}",
       OptimizerKind::kLion, 0.5},
      {"NADAM(0.5)", OptimizerKind::kNadam, 0.5},
      {"'ftrl(lr=0.5)'", OptimizerKind::kFtrl, 0.5},
      {"adamax(lr=0.5)", OptimizerKind::kAdamax, 0.5},
      {"adafactor(0.5)", OptimizerKind::kAdafactor, 0.5},
      {"Adadelta(lr=0.5)", OptimizerKind::kAdadelta, 0.5},
      {"SGD(lr=0)", OptimizerKind::kSgd, 0.0},
  };
  for (const auto& form : forms) {
    SCOPED_TRACE(form.text);
    const OptimizerSpec read = optimizer(form.text);
    EXPECT_EQ(read.kind, form.kind);
    EXPECT_EQ(read.learning_rate, form.learning_rate);
    EXPECT_EQ(read.epsilon, 1e-7);
    EXPECT_EQ(read.schedule.kind, ScheduleSpec::Kind::kNone);
  }
}

TEST(Optimizers, defaults_of_each_generation) {
  struct Case {
    const char* text;
    Profile profile;
    double OptimizerSpec::*field;
    double value;
  };
  std::vector<Case> cases = {
      {"Adadelta()", Profile::kKeras22, &OptimizerSpec::learning_rate, 1.0},
      {"Adagrad()", Profile::kKeras22, &OptimizerSpec::learning_rate, 0.01},
      {"Adagrad()", Profile::kKeras22, &OptimizerSpec::initial_accumulator_value, 0.0},
      {"Adagrad()", Profile::kTf1, &OptimizerSpec::initial_accumulator_value, 0.1},
      {"'adagrad'", Profile::kTf1, &OptimizerSpec::initial_accumulator_value, 0.0},
      {"'adagrad'", Profile::kTf2Legacy, &OptimizerSpec::initial_accumulator_value, 0.1},
      {"Adamax()", Profile::kKeras22, &OptimizerSpec::learning_rate, 0.002},
      {"Nadam()", Profile::kKeras22, &OptimizerSpec::learning_rate, 0.002},
      {"Nadam()", Profile::kKeras22, &OptimizerSpec::schedule_decay, 0.004},
      {"Nadam()", Profile::kTf1, &OptimizerSpec::schedule_decay, 0.004},
      {"Nadam()", Profile::kTf2Legacy, &OptimizerSpec::schedule_decay, 0.004},
      {"Nadam()", Profile::kTf2, &OptimizerSpec::schedule_decay, 1.0},
      {"Nadam()", Profile::kKeras3, &OptimizerSpec::schedule_decay, 1.0},
      {"Lion()", Profile::kTf2, &OptimizerSpec::learning_rate, 0.0001},
      {"Lion()", Profile::kKeras3, &OptimizerSpec::learning_rate, 0.001},
  };
  for (const Profile profile : kProfiles) {
    cases.push_back({"SGD()", profile, &OptimizerSpec::learning_rate, 0.01});
    cases.push_back({"SGD()", profile, &OptimizerSpec::momentum, 0.0});
    cases.push_back({"Adam()", profile, &OptimizerSpec::learning_rate, 0.001});
    cases.push_back({"Adam()", profile, &OptimizerSpec::weight_decay, 0.0});
    cases.push_back({"RMSprop()", profile, &OptimizerSpec::rho, 0.9});
    cases.push_back({"Adadelta()", profile, &OptimizerSpec::rho, 0.95});
    cases.push_back({"AdamW()", profile, &OptimizerSpec::weight_decay, 0.004});
    cases.push_back({"Lion()", profile, &OptimizerSpec::beta_2, 0.99});
    cases.push_back({"Ftrl()", profile, &OptimizerSpec::learning_rate, 0.001});
    cases.push_back({"Ftrl()", profile, &OptimizerSpec::learning_rate_power, -0.5});
    cases.push_back({"Ftrl()", profile, &OptimizerSpec::initial_accumulator_value, 0.1});
    cases.push_back({"Adafactor()", profile, &OptimizerSpec::beta_2_decay, -0.8});
    if (profile == Profile::kKeras22) continue;
    cases.push_back({"Adagrad()", profile, &OptimizerSpec::learning_rate, 0.001});
    cases.push_back({"Adadelta()", profile, &OptimizerSpec::learning_rate, 0.001});
    cases.push_back({"Adamax()", profile, &OptimizerSpec::learning_rate, 0.001});
    cases.push_back({"Nadam()", profile, &OptimizerSpec::learning_rate, 0.001});
  }
  for (const Case& test : cases) {
    EXPECT_EQ(optimizer(test.text, test.profile).*test.field, test.value)
        << test.text << " of profile " << static_cast<int>(test.profile);
  }
}

TEST(Optimizers, numbers_reach_their_fields) {
  const struct {
    const char* text;
    double OptimizerSpec::*field;
    double value;
  } cases[] = {
      {"SGD(0.1, 0.9)", &OptimizerSpec::momentum, 0.9},
      {"SGD(decay=1e-4)", &OptimizerSpec::decay, 1e-4},
      {"SGD(decay=None)", &OptimizerSpec::decay, 0.0},
      {"SGD(weight_decay=0.1)", &OptimizerSpec::weight_decay, 0.1},
      {"SGD(weight_decay=None)", &OptimizerSpec::weight_decay, 0.0},
      {"RMSprop(rho=0.8)", &OptimizerSpec::rho, 0.8},
      {"RMSprop(0.1, 0.7)", &OptimizerSpec::rho, 0.7},
      {"RMSprop(momentum=0.5)", &OptimizerSpec::momentum, 0.5},
      {"Adam(0.1, 0.8, 0.99, 1e-5)", &OptimizerSpec::epsilon, 1e-5},
      {"Adam(beta_1=0.8)", &OptimizerSpec::beta_1, 0.8},
      {"Adam(beta_2=0.99)", &OptimizerSpec::beta_2, 0.99},
      {"AdamW(weight_decay=0.01)", &OptimizerSpec::weight_decay, 0.01},
      {"AdamW(0.1, 0.02, 0.8)", &OptimizerSpec::weight_decay, 0.02},
      {"AdamW(0.1, 0.02, 0.8)", &OptimizerSpec::beta_1, 0.8},
      {"Adadelta(0.1, 0.8)", &OptimizerSpec::rho, 0.8},
      {"Adadelta(epsilon=1e-6)", &OptimizerSpec::epsilon, 1e-6},
      {"Adagrad(initial_accumulator_value=0.5)", &OptimizerSpec::initial_accumulator_value, 0.5},
      {"Nadam(schedule_decay=0.1)", &OptimizerSpec::schedule_decay, 0.1},
      {"Ftrl(learning_rate_power=-0.4)", &OptimizerSpec::learning_rate_power, -0.4},
      {"Ftrl(l1_regularization_strength=0.1)", &OptimizerSpec::l1_regularization_strength, 0.1},
      {"Ftrl(l2_regularization_strength=0.2)", &OptimizerSpec::l2_regularization_strength, 0.2},
      {"Ftrl(l2_shrinkage_regularization_strength=0.3)", &OptimizerSpec::l2_shrinkage_regularization_strength, 0.3},
      {"Ftrl(beta=0.4)", &OptimizerSpec::beta, 0.4},
      {"Ftrl(0.1, -0.5, 0.2)", &OptimizerSpec::initial_accumulator_value, 0.2},
      {"Adafactor(beta_2_decay=-0.5)", &OptimizerSpec::beta_2_decay, -0.5},
      {"Adafactor(epsilon_1=1e-20)", &OptimizerSpec::epsilon_1, 1e-20},
      {"Adafactor(epsilon_2=0.01)", &OptimizerSpec::epsilon_2, 0.01},
      {"Adafactor(clip_threshold=2.0)", &OptimizerSpec::clip_threshold, 2.0},
      {"Adam(use_ema=True, ema_momentum=0.9)", &OptimizerSpec::ema_momentum, 0.9},
  };
  for (const auto& test : cases) EXPECT_EQ(optimizer(test.text).*test.field, test.value) << test.text;
}

TEST(Optimizers, flags_mean_what_they_say) {
  EXPECT_TRUE(optimizer("SGD(nesterov=True)").nesterov);
  EXPECT_FALSE(optimizer("SGD(nesterov=False)").nesterov);
  EXPECT_FALSE(optimizer("'Adam(amsgrad=False)'").amsgrad);
  EXPECT_TRUE(optimizer("AdamW(amsgrad=True)").amsgrad);
  EXPECT_TRUE(optimizer("RMSprop(centered=True)").centered);
  EXPECT_FALSE(optimizer("Adafactor(relative_step=False)").relative_step);
  EXPECT_TRUE(optimizer("Lion(use_ema=True)").use_ema);
}

TEST(Optimizers, arguments_of_every_optimizer) {
  for (const char* name : kNames) {
    SCOPED_TRACE(name);
    const OptimizerSpec plain = optimizer(name);
    const std::string class_name = name;
    EXPECT_EQ(optimizer(class_name + "(name='x', jit_compile=True, is_legacy_optimizer=False, loss_scale_factor=None, "
                                     "clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, "
                                     "ema_overwrite_frequency=None, gradient_accumulation_steps=None, "
                                     "exclude_from_weight_decay=None, decay=0)"),
              plain);
    const OptimizerSpec full =
        optimizer(class_name +
                  "(lr=0.5, weight_decay=0.25, clipnorm=2, clipvalue=3.0, use_ema=True, ema_momentum=0.5, "
                  "ema_overwrite_frequency=7, gradient_accumulation_steps=4, decay=0.125)");
    EXPECT_EQ(full.learning_rate, 0.5);
    EXPECT_EQ(full.weight_decay, 0.25);
    EXPECT_EQ(full.clip_norm, 2.0);
    EXPECT_EQ(full.clip_value, 3.0);
    EXPECT_FALSE(full.global_clip_norm.has_value());
    EXPECT_EQ(full.ema_overwrite_frequency, 7);
    EXPECT_EQ(full.gradient_accumulation_steps, 4);
    EXPECT_EQ(full.decay, 0.125);
    EXPECT_EQ(spec::slot_count(full), spec::slot_count(plain) + 2);
    EXPECT_EQ(optimizer(class_name + "(global_clipnorm=1.5)").global_clip_norm, 1.5);
    for (const char* argument : {"lr", "learning_rate", "decay", "clipnorm", "weight_decay", "use_ema", "name"})
      EXPECT_TRUE(spec::optimizer_takes(name, argument)) << argument;
    EXPECT_FALSE(spec::optimizer_takes(name, "*"));
  }
  EXPECT_EQ(optimizer("RMSprop", Profile::kTf2).ema_overwrite_frequency, 100);  // tf.keras 2.11 to 2.15
  EXPECT_FALSE(optimizer("RMSprop(ema_overwrite_frequency=None)", Profile::kTf2).ema_overwrite_frequency.has_value());
}

TEST(Optimizers, epsilon_zero_is_unset_in_optimizers_v2) {
  EXPECT_EQ(optimizer("Adam(epsilon=0)", Profile::kTf1).epsilon, 1e-7);
  EXPECT_EQ(optimizer("Adam(epsilon=0)", Profile::kTf2Legacy).epsilon, 1e-7);
  EXPECT_EQ(optimizer("Adam(epsilon=0)", Profile::kKeras22).epsilon, 0.0);
  EXPECT_EQ(optimizer("Adam(epsilon=0)", Profile::kTf2).epsilon, 0.0);
  EXPECT_EQ(optimizer("Adam(epsilon=0)", Profile::kKeras3).epsilon, 0.0);
}

TEST(Optimizers, clipping_combines_by_generation) {
  const struct {
    const char* arguments;
    bool is_allowed_before_keras3;
  } cases[] = {
      {"clipnorm=1, clipvalue=1", true},
      {"clipvalue=1, global_clipnorm=1", true},
      {"clipnorm=1, global_clipnorm=1", false},
      {"clipnorm=1, clipvalue=1, global_clipnorm=1", false},
  };
  for (const auto& test : cases) {
    for (const Profile profile : kProfiles) {
      const auto read = [&] { optimizer(std::string("SGD(") + test.arguments + ")", profile); };
      if (test.is_allowed_before_keras3 && profile != Profile::kKeras3) {
        EXPECT_NO_THROW(read()) << test.arguments;
      } else {
        expect_error(kInvalid, "optimizer SGD: only one of clipnorm", read);
      }
    }
  }
}

TEST(Optimizers, refuses_values) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"'adm'", "unknown optimizer \"adm\""},
      {"Adam(nesterov=True)", "optimizer Adam: argument \"nesterov\" is unknown"},
      {"SGD(beta_1=0.9)", "optimizer SGD: argument \"beta_1\" is unknown"},
      {"Lion(epsilon=0.9)", "optimizer Lion: argument \"epsilon\" is unknown"},
      {"Adam(schedule_decay=0.9)", "optimizer Adam: argument \"schedule_decay\" is unknown"},
      {"Adam(lr=-0.1)", "optimizer Adam: argument \"lr\" must be at least 0, not \"-0.1\""},
      {"Adam(lr=1e400)", "must be a finite number"},
      {"Adam(lr=nan)", "unknown learning rate schedule \"nan\""},
      {"Adam(lr='x')", "must be a finite number"},
      {"Adam(lr=None)", "must be a finite number"},
      {"Adam(lr=[0.1])", "must be a finite number"},
      {"Adam(beta_1=1)", "\"beta_1\" must be at least 0 and below 1, not \"1\""},
      {"Adam(beta_2=1.0)", "\"beta_2\" must be at least 0 and below 1"},
      {"SGD(momentum=1.5)", "\"momentum\" must be from 0 to 1"},
      {"SGD(nesterov=0.5)", "True or False"},
      {"SGD(nesterov='False')", "True or False"},
      {"SGD(0.1, 0.9, True)", "argument \"True\" needs a name"},
      {"RMSprop(0.1, 0.9, 0.5)", "argument \"0.5\" needs a name"},
      {"Adam(0.1, 0.9, 0.99, 1e-5, True)", "argument \"True\" needs a name"},
      {"Adagrad(0.1, 0.9)", "argument \"0.9\" needs a name"},
      {"SGD(0.1, learning_rate=0.2)", "argument \"learning_rate\" is given twice"},
      {"Ftrl(learning_rate_power=0.5)", "\"learning_rate_power\" must be at most 0"},
      {"SGD(clipnorm=-1)", "\"clipnorm\" must be above 0"},
      {"SGD(clipvalue=0)", "\"clipvalue\" must be above 0"},
      {"SGD(weight_decay=-1)", "\"weight_decay\" must be at least 0"},
      {"AdamW(weight_decay=None)", "\"weight_decay\" must be a finite number"},
      {"Adam(ema_momentum=2)", "\"ema_momentum\" must be from 0 to 1"},
      {"Adam(ema_overwrite_frequency=0)", "\"ema_overwrite_frequency\" must be at least 1"},
      {"Adam(ema_overwrite_frequency=1.5)", "must be an integer"},
      {"Adam(gradient_accumulation_steps=0)", "\"gradient_accumulation_steps\" must be from 1"},
      {"7", "a name or a call"},
      {"None", "a name or a call"},
      {"['adam']", "a name or a call"},
      {"'Adam(lr=0.1'", "position"},
      {"{'class_name': 'Adam', 'config': [1]}", "must be a dict"},
      {"{'config': {}}", "must be a dict with 'class_name'"},
  };
  for (const auto& test : cases) expect_error(kInvalid, test.message, [&] { optimizer(test.text); });
  const Error unknown = error_of([] { optimizer("'adm'"); });
  for (const char* name : kNames) EXPECT_NE(unknown.hint().find(name), std::string::npos) << name;
  EXPECT_NE(error_of([] { optimizer("SGD(x=1)"); }).hint().find("learning_rate, momentum, nesterov"),
            std::string::npos);
}

TEST(Optimizers, says_why_something_is_not_supported) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"Lamb()", "optimizer \"Lamb\""},
      {"'muon'", "optimizer \"Muon\""},
      {"LossScaleOptimizer(Adam())", "optimizer \"LossScaleOptimizer\""},
      {"tf.keras.mixed_precision.LossScaleOptimizer(Adam())", "optimizer \"LossScaleOptimizer\""},
      {"Adam(loss_scale_factor=128)", "\"loss_scale_factor\" = \"128\""},
      {"AdamW(exclude_from_weight_decay=['bias'])", "\"exclude_from_weight_decay\""},
  };
  for (const auto& test : cases) {
    const Error error = error_of([&] { optimizer(test.text); });
    EXPECT_NE(std::string(error.what()).find(test.message), std::string::npos) << error.what();
    EXPECT_FALSE(error.hint().empty()) << test.text;
  }
}

TEST(Optimizers, slots) {
  const struct {
    const char* text;
    int slots;
  } cases[] = {
      {"SGD()", 0},
      {"SGD(momentum=0.9)", 1},
      {"SGD(momentum=0.9, nesterov=True)", 1},
      {"RMSprop()", 1},
      {"RMSprop(momentum=0.9, centered=True)", 3},
      {"Adam()", 2},
      {"Adam(amsgrad=True)", 3},
      {"AdamW(amsgrad=True)", 3},
      {"Adadelta()", 2},
      {"Adagrad()", 1},
      {"Adamax()", 2},
      {"Nadam()", 2},
      {"Ftrl()", 2},
      {"Lion()", 1},
      {"Adafactor()", 2},
      {"SGD(use_ema=True)", 1},
      {"SGD(gradient_accumulation_steps=1)", 0},
      {"SGD(gradient_accumulation_steps=2)", 1},
  };
  for (const auto& test : cases) EXPECT_EQ(spec::slot_count(optimizer(test.text)), test.slots) << test.text;
}

TEST(Optimizers, names_in_keras_spelling) {
  EXPECT_EQ(spec::optimizer_class_name("rmsprop"), "RMSprop");
  EXPECT_EQ(spec::optimizer_class_name("ADAMW"), "AdamW");
  EXPECT_EQ(spec::optimizer_class_name("muon"), "Muon");
  EXPECT_EQ(spec::optimizer_class_name("mine"), "mine");
  EXPECT_TRUE(spec::optimizer_takes("adam", "amsgrad"));
  EXPECT_FALSE(spec::optimizer_takes("sgd", "amsgrad"));
  EXPECT_FALSE(spec::optimizer_takes("mine", "lr"));
}

}  // namespace
}  // namespace modelhop

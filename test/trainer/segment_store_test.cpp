// SPDX-License-Identifier: Apache-2.0
// Sharing, waiting and freeing of segments.
#include "trainer/segment_store.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "modelhop/error.hpp"

namespace modelhop::trainer {
namespace {

using State = SegmentClaim::State;

SegmentRequest request_of(const std::string& key, std::vector<std::int64_t> buffers = {10, 6}) {
  SegmentRequest request;
  request.share_key = key;
  request.buffer_rows = std::move(buffers);
  for (const std::int64_t rows : request.buffer_rows) request.layout.rows += rows;
  request.layout.independent = {{ElementType::kFloat32, 16}};
  request.layout.dependent = {{ElementType::kInt16, 3}};
  return request;
}

const auto kNobodyWaits = [](SegmentClaim&, const Error*) { FAIL() << "nobody waited"; };

TEST(SegmentStore, ViewsTheRowsWhereTheyLie) {
  SegmentStore store(0);
  const auto claim = store.open(request_of(""), kNobodyWaits);
  ASSERT_EQ(claim->state(), State::kFilling);
  auto peer =
      wire::SharedMemory::map(claim->block()->file(), claim->block()->size(), wire::SharedMemory::Access::kReadWrite);
  const auto& layout = claim->request().layout;
  reinterpret_cast<float*>(peer.bytes().data())[16] = 2.5F;
  reinterpret_cast<std::int16_t*>(peer.bytes().data() + layout.offsets()[1])[3] = 7;
  store.filled(*claim);
  const Segment segment = claim->block()->view();
  EXPECT_EQ(segment.examples.rows, 16);
  EXPECT_EQ(reinterpret_cast<const float*>(segment.examples.independent[0].row(1))[0], 2.5F);
  EXPECT_EQ(reinterpret_cast<const std::int16_t*>(segment.examples.dependent[0].row(1))[0], 7);
  ASSERT_EQ(segment.buffer_starts.size(), 2U);
  EXPECT_EQ(segment.buffer_starts[0], 0);
  EXPECT_EQ(segment.buffer_starts[1], 10);
}

TEST(SegmentStore, AnEmptySegmentHasOneStart) {
  SegmentStore store(0);
  const auto claim = store.open(request_of("", {}), kNobodyWaits);
  EXPECT_EQ(claim->block()->view().examples.rows, 0);
  ASSERT_EQ(claim->block()->view().buffer_starts.size(), 1U);
  EXPECT_EQ(claim->block()->view().buffer_starts[0], 0);
}

TEST(SegmentStore, SharesByKeyAndFreesWithTheLastHolder) {
  SegmentStore store(0);
  auto first = store.open(request_of("k"), kNobodyWaits);
  store.filled(*first);
  auto second = store.open(request_of("k"), kNobodyWaits);
  EXPECT_EQ(second->state(), State::kLoaded);
  EXPECT_EQ(second->block(), first->block());
  const std::int64_t bytes = first->block()->size();
  EXPECT_EQ(store.used_bytes(), bytes);
  first.reset();
  EXPECT_EQ(store.used_bytes(), bytes);
  auto block = second->block();  // as a slot holds it
  second.reset();
  EXPECT_EQ(store.used_bytes(), bytes);
  auto third = store.open(request_of("k"), kNobodyWaits);
  EXPECT_EQ(third->block(), block);
  third.reset();
  block.reset();
  EXPECT_EQ(store.used_bytes(), 0);
  EXPECT_EQ(store.open(request_of("k"), kNobodyWaits)->state(), State::kFilling);
}

TEST(SegmentStore, DoesNotShareWithoutAKeyOrWithAnotherLayout) {
  SegmentStore store(0);
  const auto first = store.open(request_of(""), kNobodyWaits);
  const auto second = store.open(request_of(""), kNobodyWaits);
  EXPECT_NE(first->block(), second->block());
  const auto keyed = store.open(request_of("k"), kNobodyWaits);
  SegmentRequest other = request_of("k");
  other.layout.independent[0].type = ElementType::kUint8;
  EXPECT_EQ(store.open(other, kNobodyWaits)->state(), State::kFilling);
  EXPECT_EQ(store.open(request_of("k", {6, 10}), kNobodyWaits)->state(), State::kFilling);
}

TEST(SegmentStore, TellsWhoWaitsWhenItIsFilled) {
  SegmentStore store(0);
  const auto filler = store.open(request_of("k"), kNobodyWaits);
  int told = 0;
  const auto waiter = store.open(request_of("k"), [&told](SegmentClaim& claim, const Error* error) {
    EXPECT_EQ(error, nullptr);
    EXPECT_EQ(claim.state(), State::kLoaded);
    ++told;
  });
  store.open(request_of("k"), kNobodyWaits);  // went away at once
  EXPECT_EQ(waiter->state(), State::kWaiting);
  EXPECT_EQ(told, 0);
  store.filled(*filler);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(waiter->block(), filler->block());
  EXPECT_THROW(store.filled(*filler), Error);
  EXPECT_THROW(store.filled(*waiter), Error);
}

TEST(SegmentStore, GivesTheFillToWhoWaitsWhenTheFillerGoes) {
  SegmentStore store(0);
  auto filler = store.open(request_of("k"), kNobodyWaits);
  int second_told = 0;
  const auto second = store.open(request_of("k"), [&](SegmentClaim& claim, const Error*) {
    EXPECT_EQ(claim.state(), State::kFilling);
    ++second_told;
  });
  int third_told = 0;
  const auto third = store.open(request_of("k"), [&](SegmentClaim& claim, const Error*) {
    EXPECT_EQ(claim.state(), State::kLoaded);
    ++third_told;
  });
  const std::int64_t bytes = filler->block()->size();
  filler.reset();
  EXPECT_EQ(second_told, 1);
  EXPECT_EQ(third_told, 0);
  EXPECT_EQ(store.used_bytes(), bytes);
  store.filled(*second);
  EXPECT_EQ(third_told, 1);
}

TEST(SegmentStore, WhoCannotBeToldOfTheSegmentIsToldOfTheError) {
  SegmentStore store(0);
  const auto filler = store.open(request_of("k"), kNobodyWaits);
  std::optional<Error> told;
  const auto waiter = store.open(request_of("k"), [&told](SegmentClaim&, const Error* error) {
    if (error == nullptr) throw Error(ErrorCode::kInternal, "no file is left");
    told = *error;
  });
  store.filled(*filler);
  ASSERT_TRUE(told);
  EXPECT_STREQ(told->what(), "no file is left");
}

TEST(SegmentStore, NamesBothSizesOverItsLimit) {
  SegmentStore store(2000);
  const auto first = store.open(request_of(""), kNobodyWaits);
  const std::int64_t bytes = first->block()->size();
  ASSERT_LT(bytes, 2000);
  try {
    store.open(request_of("k", {10, 10}), kNobodyWaits);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOutOfMemory);
    const std::string text = error.what();
    EXPECT_NE(text.find(std::to_string(bytes) + " of 2000 bytes"), std::string::npos) << text;
    EXPECT_NE(text.find(std::to_string(request_of("", {10, 10}).layout.total_bytes())), std::string::npos) << text;
    EXPECT_NE(error.hint().find("modelhop.cache_memory"), std::string::npos);
    EXPECT_NE(error.hint().find("use_caching => false"), std::string::npos);
  }
  EXPECT_EQ(store.used_bytes(), bytes);
}

}  // namespace
}  // namespace modelhop::trainer

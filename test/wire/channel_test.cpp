// SPDX-License-Identifier: Apache-2.0
// Frames between two ends of a socket pair, and what a hostile end can send.
#include "wire/channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <random>
#include <string>

#include "modelhop/error.hpp"
#include "wire/build_id.hpp"

namespace modelhop::wire {
namespace {

struct Pair {
  Pair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    raw.reset(ends[0]);
    near.reset(ends[1]);
  }
  FileDescriptor raw;   ///< the peer, hand-operated
  FileDescriptor near;  ///< to be given to a Channel
};

FileDescriptor some_file(const std::string& text) {
  FileDescriptor file(memfd_create("test", MFD_CLOEXEC));
  EXPECT_EQ(write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  return file;
}

std::string text_of(const FileDescriptor& file) {
  std::string text(64, '\0');
  const ssize_t size = pread(file.get(), text.data(), text.size(), 0);
  EXPECT_GE(size, 0);
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::vector<std::uint8_t> hello_bytes(const std::string& build, std::uint32_t flags = 0) {
  flatbuffers::FlatBufferBuilder builder;
  const auto hello = CreateHello(builder, kProtocol, builder.CreateString(build), 42, 10, 5);
  builder.Finish(CreateMessage(builder, Body_Hello, hello.Union()));
  std::vector<std::uint8_t> bytes(kFrameHeaderBytes + builder.GetSize());
  const std::uint32_t word = builder.GetSize() | flags;
  std::memcpy(bytes.data(), &word, sizeof word);
  std::memcpy(bytes.data() + kFrameHeaderBytes, builder.GetBufferPointer(), builder.GetSize());
  return bytes;
}

void write_all(int descriptor, const std::vector<std::uint8_t>& bytes) {
  ASSERT_EQ(write(descriptor, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

void write_with_files(int descriptor, const std::vector<std::uint8_t>& bytes, const std::vector<int>& files) {
  std::vector<char> control(CMSG_SPACE(sizeof(int) * files.size()));
  iovec data{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int) * files.size());
  std::memcpy(CMSG_DATA(rights), files.data(), sizeof(int) * files.size());
  ASSERT_EQ(sendmsg(descriptor, &header, MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

/// Reads until the stream ends or an Error comes; returns how many frames came.
int drain(Channel& channel) {
  int frames = 0;
  for (;;) {
    const bool is_open = channel.fill();
    while (channel.next()) ++frames;
    if (!is_open) return frames;
  }
}

int open_descriptors() {
  int count = 0;
  for (int i = 0; i < 1024; ++i) count += fcntl(i, F_GETFD) >= 0;
  return count;
}

TEST(Channel, CarriesMessagesInOrder) {
  Pair pair;
  Channel sender(std::move(pair.raw));
  Channel receiver(std::move(pair.near));
  for (int i = 0; i < 3; ++i) {
    flatbuffers::FlatBufferBuilder builder;
    sender.send(builder, CreateGetState(builder, i, i == 1));
  }
  EXPECT_TRUE(sender.flush());
  EXPECT_FALSE(sender.has_unsent());
  ASSERT_TRUE(receiver.fill());
  for (int i = 0; i < 3; ++i) {
    auto frame = receiver.next();
    ASSERT_TRUE(frame);
    const GetState* body = frame->message().body_as_GetState();
    ASSERT_NE(body, nullptr);
    EXPECT_EQ(body->configuration(), i);
    EXPECT_EQ(body->with_training_state(), i == 1);
    EXPECT_FALSE(frame->has_file());
  }
  EXPECT_FALSE(receiver.next());
}

TEST(Channel, GivesEachFrameItsOwnFile) {
  Pair pair;
  Channel sender(std::move(pair.raw));
  Channel receiver(std::move(pair.near));
  for (int i = 0; i < 6; ++i) {
    flatbuffers::FlatBufferBuilder builder;
    sender.send(builder, CreateGetState(builder, i),
                i % 3 == 0 ? FileDescriptor() : some_file("file " + std::to_string(i)));
  }
  ASSERT_TRUE(sender.flush());
  ASSERT_TRUE(receiver.fill());
  for (int i = 0; i < 6; ++i) {
    auto frame = receiver.next();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->message().body_as_GetState()->configuration(), i);
    ASSERT_EQ(frame->has_file(), i % 3 != 0);
    if (frame->has_file()) {
      EXPECT_EQ(text_of(frame->take_file()), "file " + std::to_string(i));
    }
  }
}

TEST(Channel, CarriesAFrameLargerThanTheSocketBuffer) {
  Pair pair;
  Channel sender(std::move(pair.raw));
  Channel receiver(std::move(pair.near));
  const std::string text(5 << 20, 'x');
  flatbuffers::FlatBufferBuilder builder;
  sender.send(builder, CreateFailure(builder, 1, builder.CreateString(text)), some_file("beside"));
  EXPECT_FALSE(sender.flush());
  std::optional<Frame> frame;
  while (!frame) {
    sender.flush();
    ASSERT_TRUE(receiver.fill());
    frame = receiver.next();
  }
  EXPECT_EQ(frame->message().body_as_Failure()->message()->str(), text);
  EXPECT_EQ(text_of(frame->take_file()), "beside");
}

TEST(Channel, ReadsAFrameThatArrivesByteByByte) {
  Pair pair;
  Channel receiver(std::move(pair.near));
  const auto bytes = hello_bytes("build");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(receiver.next());
    write_all(pair.raw.get(), {bytes[i]});
    ASSERT_TRUE(receiver.fill());
  }
  auto frame = receiver.next();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->message().body_as_Hello()->build()->str(), "build");
}

TEST(Channel, GivesWhatArrivedBeforeTheEnd) {
  Pair pair;
  Channel receiver(std::move(pair.near));
  write_all(pair.raw.get(), hello_bytes("build"));
  write_all(pair.raw.get(), {9, 0});
  pair.raw.reset();
  EXPECT_FALSE(receiver.fill());
  EXPECT_TRUE(receiver.next());
  EXPECT_FALSE(receiver.next());
}

TEST(Channel, SaysThatThePeerIsGone) {
  Pair pair;
  Channel sender(std::move(pair.near));
  pair.raw.reset();
  flatbuffers::FlatBufferBuilder builder;
  sender.send(builder, CreateDone(builder));
  EXPECT_THROW(sender.flush(), Error);
}

TEST(Channel, RefusesToSendWhatThePeerWouldRefuse) {
  Pair pair;
  Channel sender(std::move(pair.near));
  flatbuffers::FlatBufferBuilder builder;
  const auto text = builder.CreateString(std::string(kMaxFrameBytes, 'x'));
  EXPECT_THROW(sender.send(builder, CreateFailure(builder, 1, text)), Error);
}

TEST(HostileFrame, OversizedIsRefusedBeforeItsBytesCome) {
  Pair pair;
  Channel receiver(std::move(pair.near));
  write_all(pair.raw.get(), {1, 0, 0, 4});
  EXPECT_THROW(receiver.fill(), Error);
}

TEST(HostileFrame, EmptyOrTruncatedContentIsRefused) {
  for (std::uint8_t size = 0; size < 60; ++size) {
    Pair pair;
    Channel receiver(std::move(pair.near));
    auto bytes = hello_bytes("build");
    ASSERT_GT(bytes.size(), kFrameHeaderBytes + 60);
    bytes.resize(kFrameHeaderBytes + size);
    bytes[0] = size;
    write_all(pair.raw.get(), bytes);
    ASSERT_TRUE(receiver.fill());
    EXPECT_THROW(receiver.next(), Error) << int{size};
  }
}

TEST(HostileFrame, UnknownBodyTypeIsRefused) {
  for (const int type : {0, int{Body_MAX} + 1, 255}) {
    Pair pair;
    Channel receiver(std::move(pair.near));
    flatbuffers::FlatBufferBuilder builder;
    const auto done = CreateDone(builder);
    builder.Finish(CreateMessage(builder, static_cast<Body>(type), done.Union()));
    std::vector<std::uint8_t> bytes = {static_cast<std::uint8_t>(builder.GetSize()), 0, 0, 0};
    bytes.insert(bytes.end(), builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
    write_all(pair.raw.get(), bytes);
    ASSERT_TRUE(receiver.fill());
    EXPECT_THROW(receiver.next(), Error) << type;
  }
}

TEST(HostileFrame, TooManyTablesAreRefused) {
  Pair pair;
  Channel sender(std::move(pair.raw));
  Channel receiver(std::move(pair.near));
  flatbuffers::FlatBufferBuilder builder;
  // One table that is named two hundred thousand times costs little to send and much to verify.
  const auto configuration = CreateConfiguration(builder, 1);
  const std::vector<flatbuffers::Offset<Configuration>> many(200'000, configuration);
  const auto list = builder.CreateVector(many);
  sender.send(builder, CreateOpenRun(builder, 0, 0, 0, Shuffle_Segment, false, 0, 0, 0, 0, 0, 0, list));
  const auto read_all = [&] {
    for (;;) {
      sender.flush();
      receiver.fill();
      if (receiver.next()) return;
    }
  };
  EXPECT_THROW(read_all(), Error);
}

TEST(HostileFrame, MissingFileIsRefused) {
  Pair pair;
  Channel receiver(std::move(pair.near));
  write_all(pair.raw.get(), hello_bytes("build", kFrameHasFile));
  ASSERT_TRUE(receiver.fill());
  EXPECT_THROW(receiver.next(), Error);
}

TEST(HostileFrame, FileOfALaterFrameIsNotTaken) {
  Pair pair;
  Channel receiver(std::move(pair.near));
  write_all(pair.raw.get(), hello_bytes("build", kFrameHasFile));
  ASSERT_TRUE(receiver.fill());
  const auto file = some_file("late");
  write_with_files(pair.raw.get(), hello_bytes("build", kFrameHasFile), {file.get()});
  ASSERT_TRUE(receiver.fill());
  EXPECT_THROW(receiver.next(), Error);
}

TEST(HostileFrame, SurplusFileIsRefusedAndClosed) {
  const auto file = some_file("surplus");
  const int before = open_descriptors();
  {
    Pair pair;
    Channel receiver(std::move(pair.near));
    write_with_files(pair.raw.get(), hello_bytes("build"), {file.get()});
    ASSERT_TRUE(receiver.fill());
    EXPECT_THROW(receiver.next(), Error);
  }
  {
    Pair pair;
    Channel receiver(std::move(pair.near));
    write_with_files(pair.raw.get(), hello_bytes("build", kFrameHasFile), {file.get(), file.get(), file.get()});
    EXPECT_THROW(receiver.fill(), Error);
  }
  {
    Pair pair;
    Channel receiver(std::move(pair.near));
    const std::vector<int> many(200, file.get());
    write_with_files(pair.raw.get(), hello_bytes("build", kFrameHasFile), many);
    EXPECT_THROW(receiver.fill(), Error);
  }
  EXPECT_EQ(open_descriptors(), before);
}

/// Touches every byte that a reader of the message would touch.
std::size_t walk(const Message& message) {
  const OpenRun* run = message.body_as_OpenRun();
  if (run == nullptr) return 0;
  std::size_t sum = 0;
  if (run->name() != nullptr) sum += run->name()->str().size();
  if (run->architectures() != nullptr) {
    for (const auto* architecture : *run->architectures()) {
      if (architecture->json() != nullptr) sum += architecture->json()->str().size();
    }
  }
  if (run->independent_shapes() != nullptr) {
    for (const auto* shape : *run->independent_shapes()) {
      if (shape->extents() == nullptr) continue;
      for (const std::int64_t extent : *shape->extents()) sum += static_cast<std::size_t>(extent);
    }
  }
  if (run->dependent_row_elements() != nullptr) {
    for (const std::int64_t elements : *run->dependent_row_elements()) sum += static_cast<std::size_t>(elements);
  }
  if (run->configurations() != nullptr) {
    for (const auto* configuration : *run->configurations()) {
      if (configuration->compile_params() != nullptr) sum += configuration->compile_params()->str().size();
      sum += configuration->seed();
    }
  }
  return sum;
}

TEST(HostileFrame, MutatedBytesAreRefusedOrRead) {
  flatbuffers::FlatBufferBuilder builder;
  const auto configuration =
      CreateConfiguration(builder, 1, 0, builder.CreateString("optimizer='sgd'"), builder.CreateString("epochs=1"), 7);
  const auto configurations = builder.CreateVector(&configuration, 1);
  const auto architecture = CreateArchitecture(builder, builder.CreateString("{}"), 2);
  const auto architectures = builder.CreateVector(&architecture, 1);
  const std::array<std::int64_t, 2> extents = {2, 3};
  const auto first = CreateShape(builder, builder.CreateVector(extents.data(), extents.size()));
  const auto second = CreateShape(builder, builder.CreateVector(extents.data(), 1));
  const auto shapes = builder.CreateVector({first, second});
  const auto dependent = builder.CreateVector(extents.data(), extents.size());
  const auto run = CreateOpenRun(builder, builder.CreateString("name"), 0, 1, Shuffle_Buffer, true, 3, 12, 0,
                                 architectures, shapes, dependent, configurations);
  builder.Finish(CreateMessage(builder, Body_OpenRun, run.Union()));
  const std::vector<std::uint8_t> original(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());

  std::mt19937 random(20);
  int refused = 0;
  int accepted = 0;
  std::size_t sum = 0;
  for (int trial = 0; trial < 20'000; ++trial) {
    std::vector<std::uint8_t> bytes = original;
    const std::size_t changes = 1 + random() % 4;
    for (std::size_t i = 0; i < changes; ++i) bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    if (trial % 5 == 0) bytes.resize(random() % bytes.size());
    try {
      sum += walk(Frame(std::move(bytes), {}).message());
      ++accepted;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInternal);
      ++refused;
    }
  }
  EXPECT_GT(refused, 5'000);
  EXPECT_GT(accepted, 1'000);
  EXPECT_GT(sum, 0U);
}

TEST(HostileFrame, MutatedStreamsNeverHang) {
  std::mt19937 random(21);
  int refused = 0;
  for (int trial = 0; trial < 2'000; ++trial) {
    Pair pair;
    Channel receiver(std::move(pair.near));
    const auto file = some_file("x");
    std::vector<std::uint8_t> first = hello_bytes("build", kFrameHasFile);
    std::vector<std::uint8_t> second = hello_bytes("build");
    first[random() % (trial % 2 == 0 ? kFrameHeaderBytes : first.size())] ^=
        static_cast<std::uint8_t>(1 + random() % 255);
    write_with_files(pair.raw.get(), first, {file.get()});
    write_all(pair.raw.get(), second);
    pair.raw.reset();
    try {
      EXPECT_LE(drain(receiver), 2);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 500);
}

TEST(BuildId, BeginsWithTheVersion) {
  EXPECT_EQ(std::string(build_id()).substr(0, 2), "0.");
}

}  // namespace
}  // namespace modelhop::wire

// SPDX-License-Identifier: Apache-2.0
#include "copy_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>

#include "modelhop/error.hpp"

namespace modelhop::replay {
namespace {

/// Big-endian fields of COPY's binary format (PostgreSQL manual, COPY, "Binary Format").
class Reader {
 public:
  explicit Reader(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Error(ErrorCode::kNotFound, "cannot read \"" + path + "\"");
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
  }

  std::int64_t integer(std::size_t size) {
    need(size);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes_[position_ + i]);
    position_ += size;
    return size == 2 ? static_cast<std::int16_t>(value) : static_cast<std::int32_t>(value);
  }

  std::vector<std::byte> field() {
    const std::int64_t size = integer(4);
    need(size);
    const auto* begin = reinterpret_cast<const std::byte*>(bytes_.data()) + position_;
    position_ += size;
    return {begin, begin + size};
  }

  void skip(std::size_t size) {
    need(size);
    position_ += size;
  }

 private:
  void need(std::int64_t size) const {
    if (size < 0 || position_ + size > bytes_.size()) throw Error(ErrorCode::kInvalidArgument, "truncated COPY file");
  }
  std::vector<char> bytes_;
  std::size_t position_ = 0;
};

}  // namespace

std::vector<PackedRow> read_copy_file(const std::string& path) {
  constexpr std::size_t kSignatureAndFlags = 15;
  Reader reader(path);
  reader.skip(kSignatureAndFlags);
  reader.skip(reader.integer(4));
  std::vector<PackedRow> rows;
  for (std::int64_t columns = reader.integer(2); columns > 2; columns = reader.integer(2)) {
    PackedRow row;
    reader.skip(4);
    row.buffer_id = reader.integer(4);
    reader.skip(4);
    row.rows = reader.integer(4);
    for (std::int64_t column = 2; column < columns; ++column) row.arrays.push_back(reader.field());
    rows.push_back(std::move(row));
  }
  std::ranges::sort(rows, {}, &PackedRow::buffer_id);
  return rows;
}

JoinedSegment::JoinedSegment(const std::vector<PackedRow>& rows, int segment, int segments, const Arrays& arrays)
    : bytes_(arrays.independent.size() + arrays.dependent.size() + (arrays.has_sample_weight ? 1 : 0)) {
  for (const PackedRow& row : rows) {
    if (row.buffer_id % segments != segment) continue;
    buffer_starts_.push_back(examples_.rows);
    examples_.rows += row.rows;
    check(row.arrays.size() == bytes_.size(), "the COPY file has another number of arrays than the run");
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      bytes_[i].insert(bytes_[i].end(), row.arrays[i].begin(), row.arrays[i].end());
    }
  }
  check(examples_.rows > 0, "a segment without rows");
  std::size_t place = 0;
  const auto view = [&](const ArrayType& array) {
    const std::vector<std::byte>& bytes = bytes_[place++];
    const std::int64_t elements = static_cast<std::int64_t>(bytes.size()) / examples_.rows / element_size(array.type);
    return ArrayView{bytes.data(), array.type, elements, array.scale};
  };
  for (const ArrayType& array : arrays.independent) examples_.independent.push_back(view(array));
  for (const ArrayType& array : arrays.dependent) examples_.dependent.push_back(view(array));
  if (arrays.has_sample_weight) examples_.sample_weight = view({});
}

Segment JoinedSegment::view() const {
  return {examples_, buffer_starts_};
}

}  // namespace modelhop::replay

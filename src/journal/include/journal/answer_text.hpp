// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "journal/record.hpp"

namespace hanse::journal {

// The record of an answer, the same as make_record() makes of its fields, byte for byte, and a test holds the two together.
// There is one for every answer, so its names stand here in their order and it is written once, into one text.
NewRecord make_answer_record(const RecordId& id, base::WallTime now, std::string_view node, const AnswerRecord& answer);

}  // namespace hanse::journal

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "federation/charter.hpp"
#include "federation/session.hpp"
#include "journal/canonical.hpp"

namespace hanse::federation {

// What the receiver's record of a task holds besides the fields of an answer, and what the sender looks for in the far
// receipt: whose task it was, and its key. So a receipt is good for one task of one member, and a second use is found.
//
//   "remote": {"key": "<32 hex digits>", "from": "<member>"}
journal::CanonicalObject& name_remote_task(journal::CanonicalObject& fields, const TaskKey& key, std::string_view from);
// The same with the key as text_of() writes it.
journal::CanonicalObject& name_remote_task(journal::CanonicalObject& fields, std::string_view key, std::string_view from);

// The far receipt of the task `key` that `sender` gave to `receiver`. `denied` if the keys that the charter has for the
// receiver's log have not all signed it, `corrupt` if it is no receipt, or one of another task or log.
base::Result<FarReceipt> check_far_receipt(const Charter& charter, std::string_view receiver, std::string_view sender, const TaskKey& key,
                                           std::string_view receipt);

}  // namespace hanse::federation

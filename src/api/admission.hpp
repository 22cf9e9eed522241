// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "call.hpp"
#include "task/keys.hpp"

namespace hanse::api {

// Who asks, and in what terms: what the headers of a request say about the task it becomes. Decides
// nothing about keys and limits itself, it asks `task`.

// The key from "Authorization: Bearer …"; `unauthenticated` if it is missing, malformed or unknown.
base::Result<void> read_caller(Call& call, const task::KeyRing& keys);
// A browser's page from elsewhere must not use a node that asks for no key: `denied`.
base::Result<void> check_origin(const Call& call);
// Hanse-Deadline-Ms, Hanse-First-Token-Ms, Hanse-Priority.
base::Result<void> read_terms(Call& call);
// Idempotency-Key, as far as it is one line of at most 128 visible ASCII characters.
std::string idempotency_key(const Call& call);
// The label of what comes in: the key's or the policy's, tightened by Hanse-Label. Accept-Language says in which
// language a refusal by label is told, since it is read by people.
base::Result<void> read_label(Call& call);
// Whether this caller may be shown, now, what has this label: `denied` with the code "label_denied" and the reason. After
// read_label().
base::Result<void> may_see(const Call& call, const label::Label& label);
// traceparent of the caller, and our own.
void read_trace(Call& call);

}  // namespace hanse::api

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

#include "task/energy.hpp"

namespace hanse::node {

// What this machine has used: the counters of its processor packages (RAPL, under `powercap`) where they can be read, else
// this process's processor time at so many watts a busy core.
task::EnergyLedger::Meter energy_meter(std::uint32_t watts_per_core, const std::filesystem::path& powercap = "/sys/class/powercap");

}  // namespace hanse::node

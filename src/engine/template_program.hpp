// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"

namespace hanse::engine {

// A Jinja template, parsed by minja, run within limits. The only file that sees minja is template_program.cpp.
// Thread-safe: rendering leaves the parsed template as it is.
class TemplateProgram {
public:
    static base::Result<TemplateProgram> parse(const std::string& text);

    // `variables` is an object. What the template itself says in raise_exception() becomes the error's
    // message; other errors are told without values, which could be somebody's prompt.
    base::Result<std::string> run(const nlohmann::ordered_json& variables, base::WallTime now) const;

private:
    struct State;
    explicit TemplateProgram(std::shared_ptr<const State> state) : state_(std::move(state)) {}
    std::shared_ptr<const State> state_;
};

}  // namespace hanse::engine

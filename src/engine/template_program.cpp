// SPDX-License-Identifier: Apache-2.0
#include "template_program.hpp"

#include <cstdint>
#include <ctime>
#include <format>
#include <minja/minja.hpp>

#include "work_budget.hpp"

namespace hanse::engine {
namespace {

using base::ErrorKind;
using base::fail;

constexpr std::size_t text_max = 128U << 10;
constexpr std::size_t blanks_max = 1000;  // minja trims by regular expression, in quadratic time
constexpr WorkBudget parse_budget{.stack = std::size_t{256} << 20};  // its regular expressions recurse per byte

// minja says "… at row 3, column 5:" and then quotes; the place alone is safe to tell.
std::string place_of(std::string_view message) {
    const auto at = message.find(" at row ");
    if (at == std::string_view::npos) return {};
    const auto end = message.find(':', at);
    return std::string(message.substr(at, end == std::string_view::npos ? end : end - at));
}

minja::Value strftime_function(base::WallTime now) {
    return minja::Value::callable([now](const std::shared_ptr<minja::Context>&, minja::ArgumentsValue& arguments) {
        arguments.expectArgs("strftime_now", {1, 1}, {0, 0});
        const auto format = arguments.args.at(0).get<std::string>();
        const auto seconds = std::chrono::system_clock::to_time_t(now);
        std::tm parts{};
        gmtime_r(&seconds, &parts);
        std::string out(256 + format.size(), '\0');
        out.resize(std::strftime(out.data(), out.size(), format.c_str(), &parts));
        return minja::Value(out);
    });
}

}  // namespace

struct TemplateProgram::State {
    std::shared_ptr<minja::TemplateNode> root;

    // A chain of ten thousand operators is a tree as deep, and is destroyed by recursion.
    ~State() {
        try {
            run_within({.allocations = SIZE_MAX, .bytes = SIZE_MAX, .stack = parse_budget.stack}, [this] { root.reset(); });
        } catch (const std::exception&) {  // no thread to be had: destroyed here
        }
    }
};

base::Result<TemplateProgram> TemplateProgram::parse(const std::string& text) {
    if (text.size() > text_max) return fail(ErrorKind::invalid, std::format("the chat template is longer than {} bytes", text_max), "invalid_chat_template");
    for (std::size_t at = 0, run = 0; at < text.size(); ++at) {
        run = text[at] == ' ' || (text[at] >= '\t' && text[at] <= '\r') ? run + 1 : 0;
        if (run > blanks_max) return fail(ErrorKind::invalid, std::format("the chat template has more than {} blanks in a row", blanks_max), "invalid_chat_template");
    }
    auto state = std::make_shared<State>();
    std::string wrong;
    try {
        const auto end = run_within(parse_budget, [&] {
            try {
                state->root = minja::Parser::parse(text, {.trim_blocks = true, .lstrip_blocks = true, .keep_trailing_newline = false});
            } catch (const std::runtime_error& e) {
                wrong = std::string_view(e.what()).substr(0, 300);
            }
        });
        if (end == WorkEnd::budget_spent) return fail(ErrorKind::invalid, "the chat template is too complex to be read", "invalid_chat_template");
    } catch (const std::exception&) {
        return fail(ErrorKind::invalid, "the chat template cannot be read", "invalid_chat_template");
    }
    if (!state->root) return fail(ErrorKind::invalid, "the chat template cannot be read: " + wrong, "invalid_chat_template");
    return TemplateProgram(std::move(state));
}

base::Result<std::string> TemplateProgram::run(const nlohmann::ordered_json& variables, base::WallTime now) const {
    std::string out;
    std::string refused;
    std::string failed;
    bool raised = false;
    try {
        // Room for some hundred copies of what goes in, and for a template that works on little.
        const WorkBudget budget{.bytes = (std::size_t{32} << 20) + 256 * variables.dump().size()};
        const auto end = run_within(budget, [&] {
            const auto context = minja::Context::make(minja::Value(variables));
            context->set("strftime_now", strftime_function(now));
            context->set("raise_exception", minja::Value::callable([&](const std::shared_ptr<minja::Context>&, minja::ArgumentsValue& arguments) -> minja::Value {
                             raised = true;
                             if (!arguments.args.empty() && arguments.args.front().is_string()) refused = arguments.args.front().get<std::string>().substr(0, 300);
                             throw std::runtime_error("raised");
                         }));
            try {
                out = state_->root->render(context);
            } catch (const std::runtime_error& e) {
                failed = raised ? "raised" : "failed" + place_of(e.what());
            }
        });
        if (end == WorkEnd::budget_spent) return fail(ErrorKind::invalid, "the chat template works without end or on too much text", "chat_template_limit");
    } catch (const std::exception&) {
        failed = "failed";
    }
    if (raised) return fail(ErrorKind::invalid, "the chat template refuses the conversation: " + refused, "chat_template_refused", "messages");
    if (!failed.empty()) return fail(ErrorKind::invalid, "the chat template " + failed + " on this conversation", "chat_template_failed", "messages");
    return out;
}

}  // namespace hanse::engine

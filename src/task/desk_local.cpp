// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/asio/post.hpp>

#include "answer_state.hpp"
#include "desk_state.hpp"
#include "expert_terms.hpp"
#include "waiting.hpp"

// The desk's work with models of this node: prompts rendered and tokenised, generations started.
namespace hanse::task {
namespace {

// What turning prompts into tokens needs and yields; on its own, since it may go to another thread.
struct Preparation {
    std::shared_ptr<engine::Model> model;
    std::vector<Prompt> prompts;
    std::vector<std::vector<engine::TokenId>> tokens = {};
    engine::RenderedPrompt rendered = {};
};

std::size_t bytes_of(const Prompt& prompt) {
    if (const auto* text = std::get_if<std::string>(&prompt)) return text->size();
    if (const auto* conversation = std::get_if<engine::Conversation>(&prompt)) {
        std::size_t sum = 0;
        for (const auto& message : conversation->messages) sum += message.text.size();
        for (const auto& tool : conversation->tools) sum += tool.parameters.size() + tool.description.size();
        return sum;
    }
    return 0;
}

base::Result<void> checked_ids(const std::vector<engine::TokenId>& ids, std::uint32_t vocabulary, std::string_view field) {
    const auto wrong = std::ranges::find_if(ids, [&](auto id) { return id < 0 || static_cast<std::uint32_t>(id) >= vocabulary; });
    if (wrong == ids.end()) return {};
    return base::fail(base::ErrorKind::invalid,
                      "token " + std::to_string(*wrong) + " is not in the model's vocabulary of " + std::to_string(vocabulary),
                      "invalid_token", std::string(field));
}

// From here on the engine of this node holds the value; the decision for it lies in the task.
template <typename T>
base::Result<T> opened_for(const Task& task, label::Labelled<T> labelled) {
    auto opened = std::move(labelled).open(*task.passage->there.permit(), task.passage->destination);
    if (!opened) return std::unexpected(opened.error());
    return std::move(*opened).plaintext(label::PlaintextAccess::at_boundary());
}

struct Prepared {};

base::Result<Prepared> prepare(Preparation& work) {
    for (auto& prompt : work.prompts) {
        std::vector<engine::TokenId> tokens;
        if (const auto* conversation = std::get_if<engine::Conversation>(&prompt)) {
            auto rendered = work.model->render(*conversation);
            if (!rendered) return std::unexpected(rendered.error());
            tokens = work.model->tokenize(rendered->text, true, true);
            work.rendered = std::move(*rendered);
        } else if (const auto* text = std::get_if<std::string>(&prompt)) {
            tokens = work.model->tokenize(*text, true, false);
        } else {
            tokens = std::move(std::get<std::vector<engine::TokenId>>(prompt));
            auto checked = checked_ids(tokens, work.model->facts().vocabulary, "prompt");
            if (!checked) return std::unexpected(checked.error());
        }
        if (tokens.empty()) return base::fail(base::ErrorKind::invalid, "the prompt is empty", "empty_prompt", "prompt");
        work.tokens.push_back(std::move(tokens));
    }
    return Prepared{};
}

base::Result<void> check(const GenerateAsk& ask, const engine::ModelFacts& facts) {
    if (!facts.can_generate)
        return base::fail(base::ErrorKind::invalid, "model " + facts.name + " makes embeddings, no text", "model_cannot_generate", "model");
    for (const auto& adapter : ask.request.adapters)
        if (std::ranges::find(facts.adapters, adapter.name) == facts.adapters.end())
            return base::fail(base::ErrorKind::not_found, "model " + facts.name + " has no adapter " + adapter.name,
                              "adapter_not_found", "lora");
    for (const auto& [token, bias] : ask.request.sampling.logit_bias)
        if (token < 0 || static_cast<std::uint32_t>(token) >= facts.vocabulary)
            return base::fail(base::ErrorKind::invalid, "token " + std::to_string(token) + " is not in the model's vocabulary",
                              "invalid_token", "logit_bias");
    return {};
}

// What every sequence of the ask has in common, completed by what the task and the template say.
engine::GenerateRequest common_request(const Task& task, GenerateAsk& ask, const engine::RenderedPrompt& rendered) {
    auto request = std::move(ask.request);
    request.partition = task.partition;
    request.priority = task.priority;
    request.deadline = task.deadline;
    request.first_token_deadline = task.first_token_deadline;
    request.stop.insert(request.stop.end(), rendered.stop.begin(), rendered.stop.end());
    if (!std::holds_alternative<std::monostate>(rendered.constraint)) {
        request.constraint = rendered.constraint;
        request.constraint_triggers = rendered.constraint_triggers;
    }
    return request;
}

}  // namespace

boost::asio::awaitable<base::Result<Answer>> Desk::generate(Task& task, label::Labelled<GenerateAsk> labelled) {
    auto seat = co_await state_->sit(task, labelled.label());
    if (!seat) co_return std::unexpected(seat.error());
    auto opened = opened_for(task, std::move(labelled));
    if (!opened) co_return std::unexpected(opened.error());
    GenerateAsk ask = std::move(*opened);
    auto checked = check(ask, seat->model->facts());
    if (!checked) co_return std::unexpected(checked.error());
    const auto experts = choose_experts(task.passage, seat->model->facts().experts);
    if (!experts) co_return std::unexpected(experts.error());
    task.passage = experts->passage;
    ask.request.experts_left_out = experts->left_out;

    auto work = std::make_shared<Preparation>(seat->model, std::move(ask.prompts));
    std::size_t bytes = 0;
    for (const auto& prompt : work->prompts) bytes += bytes_of(prompt);
    base::Result<Prepared> prepared;
    if (bytes < state_->parts.options.long_prompt)
        prepared = prepare(*work);
    else
        prepared = co_await called_back<Prepared>(
            [this, work](auto done) {
                boost::asio::post(state_->workers, [work, done = std::move(done)] { done(prepare(*work)); });
            },
            task.stop.get_token(), state_->parts.clock, task.deadline, "reading the prompt");
    if (!prepared) co_return std::unexpected(prepared.error());

    auto state = std::make_unique<Answer::State>(state_->parts.clock, task.stop.get_token(), task.deadline);
    state->label = task.passage->answer_label;
    state->experts = engine::experts_taking_part(seat->model->facts().experts, experts->left_out);
    state->ticket = std::move(seat->ticket);
    state->line = seat->line;
    state->began = state_->parts.clock.now();
    state->model = std::move(seat->model);
    state->prompts = std::move(work->tokens);
    state->rendered = std::move(work->rendered);
    task.trace.open(Stop::engine, state->began);
    state_->compute(task, state->model->facts());
    if (task.evidence) {
        for (const auto& adapter : ask.request.adapters) task.evidence->adapters.push_back(adapter.name);
        task.evidence->experts = state->experts;
    }

    const auto request = common_request(task, ask, state->rendered);
    for (const auto& prompt : state->prompts) {
        for (std::uint32_t choice = 0; choice < ask.choices; ++choice) {
            auto one = request;
            one.prompt = prompt;
            // The same seed for each choice would give the same answer n times.
            if (one.sampling.seed) one.sampling.seed = *one.sampling.seed + choice;
            auto stream = std::make_shared<engine::EventStream>([wake = state->signal] { wake->notify(); });
            state->streams.push_back(stream);
            state->over.push_back(false);
            ++state->running;
            auto submitted = state->model->submit(std::move(one), std::move(stream));
            if (!submitted) {
                if (submitted.error().kind == base::ErrorKind::overloaded && !submitted.error().retry_after)
                    submitted.error().retry_after = state->line->wait();
                co_return std::unexpected(submitted.error());
            }
        }
    }
    co_return Answer(std::move(state));
}

boost::asio::awaitable<base::Result<label::Labelled<Desk::Embedding>>> Desk::embed(Task& task, label::Labelled<std::vector<EmbedInput>> labelled) {
    auto seat = co_await state_->sit(task, labelled.label());
    if (!seat) co_return std::unexpected(seat.error());
    auto opened = opened_for(task, std::move(labelled));
    if (!opened) co_return std::unexpected(opened.error());
    auto& inputs = *opened;
    const auto model = seat->model;
    if (!model->facts().can_embed)
        co_return base::fail(base::ErrorKind::invalid, "model " + task.model + " makes no embeddings", "model_cannot_embed", "model");
    std::vector<std::vector<engine::TokenId>> tokens;
    tokens.reserve(inputs.size());
    for (auto& input : inputs) {
        if (auto* ids = std::get_if<std::vector<engine::TokenId>>(&input)) {
            auto checked = checked_ids(*ids, model->facts().vocabulary, "input");
            if (!checked) co_return std::unexpected(checked.error());
            tokens.push_back(std::move(*ids));
        } else {
            tokens.push_back(model->tokenize(std::get<std::string>(input), true, false));
        }
        if (tokens.back().empty()) co_return base::fail(base::ErrorKind::invalid, "an input is empty", "empty_input", "input");
    }
    task.trace.open(Stop::engine, state_->parts.clock.now());
    state_->compute(task, model->facts());
    auto result = co_await called_back<engine::EmbeddingResult>(
        [&](auto done) { model->embed(std::move(tokens), std::move(done)); }, task.stop.get_token(), state_->parts.clock,
        task.deadline, "the embedding");
    if (!result) co_return std::unexpected(result.error());
    co_return label::Labelled<Embedding>({std::move(*result), model->facts()}, task.passage->answer_label);
}

boost::asio::awaitable<base::Result<label::Labelled<engine::RerankResult>>> Desk::rerank(Task& task, label::Labelled<RerankAsk> labelled) {
    auto seat = co_await state_->sit(task, labelled.label());
    if (!seat) co_return std::unexpected(seat.error());
    auto opened = opened_for(task, std::move(labelled));
    if (!opened) co_return std::unexpected(opened.error());
    const auto model = seat->model;
    if (!model->facts().can_rerank)
        co_return base::fail(base::ErrorKind::invalid, "model " + task.model + " cannot rank documents", "model_cannot_rerank", "model");
    task.trace.open(Stop::engine, state_->parts.clock.now());
    state_->compute(task, model->facts());
    auto result = co_await called_back<engine::RerankResult>(
        [&](auto done) { model->rerank(std::move(opened->query), std::move(opened->documents), std::move(done)); }, task.stop.get_token(),
        state_->parts.clock, task.deadline, "the ranking");
    if (!result) co_return std::unexpected(result.error());
    co_return label::Labelled<engine::RerankResult>(std::move(*result), task.passage->answer_label);
}

}  // namespace hanse::task

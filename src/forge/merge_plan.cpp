// SPDX-License-Identifier: Apache-2.0
#include "merge_plan.hpp"

#include <algorithm>
#include <format>
#include <map>
#include <set>

#include "forge/numbers.hpp"
#include "layer_name.hpp"
#include "printable.hpp"

namespace hanse::forge {
namespace {

using base::ErrorKind;
using base::Result;

std::unexpected<base::Error> invalid(std::string message, std::string param = {}) {
    return base::fail(ErrorKind::invalid, std::move(message), "invalid_recipe", std::move(param));
}

std::uint64_t layers_of(const TensorFile& model) {
    std::uint64_t most = 0;
    for (const Tensor& tensor : model.tensors())
        if (const auto parts = layer_name(tensor.name)) most = std::max(most, parts->layer + 1);
    return most;
}

bool is_computed(std::string_view tensor) { return tensor.ends_with("rotary_emb.inv_freq"); }

// Working type of what was read from files, where the recipe names none.
Working working_of(TensorType type) {
    return type == TensorType::bf16 ? Working::bf16 : type == TensorType::f16 ? Working::f16 : Working::f32;
}

class Planner {
public:
    explicit Planner(const MergeRecipe& recipe) : recipe_(recipe) {}

    Result<MergePlan> run() {
        method_ = method_named(recipe_.method);
        if (method_ == nullptr) {
            std::string names;
            for (const std::string& name : method_names()) names += (names.empty() ? "" : ", ") + name;
            return invalid(std::format("recipe, merge_method: {} is not known; these are: {}", printable(recipe_.method), names),
                           "merge_method");
        }
        if (auto done = open_models(); !done) return std::unexpected(done.error());
        if (auto done = check_vocabularies(); !done) return std::unexpected(done.error());
        for (std::size_t s = 0; s < recipe_.slices.size(); ++s) {
            auto sources = sources_of(recipe_.slices[s]);
            if (!sources) return std::unexpected(sources.error());
            slices_.push_back(std::move(*sources));
        }
        if (auto done = plan_all(); !done) return std::unexpected(done.error());
        plan_.layers = next_layer_;
        return std::move(plan_);
    }

private:
    struct Source {
        std::size_t model = 0;
        LayerRange layers = {};
        const Parameters* parameters = nullptr;
        bool is_base = false;
    };
    using Sources = std::vector<Source>;

    std::size_t model_of(const ModelName& name) const {
        return static_cast<std::size_t>(std::ranges::find(plan_.names, name) - plan_.names.begin());
    }

    Result<void> open_model(const ModelName& name) {
        if (std::ranges::contains(plan_.names, name)) return {};
        if (!name.adapter.empty())
            return invalid(std::format("{}+{}: merge the adapter into its base first (hanse forge lora)", name.path, name.adapter));
        if (!name.revision.empty())
            return invalid(std::format("{}@{}: files here have no revisions; name the folder of that revision", name.path, name.revision));
        auto file = TensorFile::open(name.path);
        if (!file) return std::unexpected(file.error());
        if (!plan_.models.empty() && file->format() != plan_.format)
            return invalid(std::format("{} is {}, the models before it are {}; convert one of them first", name.path,
                                       hanse::forge::name(file->format()), hanse::forge::name(plan_.format)));
        plan_.format = file->format();
        plan_.names.push_back(name);
        plan_.models.push_back(std::move(*file));
        return {};
    }

    Result<void> open_models() {
        if (recipe_.base)
            if (auto done = open_model(*recipe_.base); !done) return done;
        for (const Slice& slice : recipe_.slices) {
            for (const SliceSource& source : slice.sources)
                if (auto done = open_model(source.model); !done) return done;
            if (slice.base)
                if (auto done = open_model(*slice.base); !done) return done;
        }
        return {};
    }

    // Different vocabularies never meet by accident: rows that stand for different words would be averaged.
    Result<void> check_vocabularies() {
        std::vector<Vocabulary> vocabularies;
        for (const TensorFile& model : plan_.models) {
            auto read = read_vocabulary(model);
            if (!read) return std::unexpected(read.error());
            vocabularies.push_back(std::move(*read));
        }
        const bool same = std::ranges::all_of(
            vocabularies, [&](const Vocabulary& each) { return each.empty() || vocabularies[0].empty() || each == vocabularies[0]; });
        using enum TokenizerRule::Source;
        const bool mapped =
            recipe_.tokenizer.source == union_of_all || !recipe_.tokenizer.tokens.empty() || recipe_.tokenizer.pad_to_multiple_of > 0;
        if (recipe_.tokenizer.source == model && model_of(recipe_.tokenizer.model) >= plan_.names.size())
            return invalid(std::format("the tokenizer is to come from {}, which is not among the models", recipe_.tokenizer.model.path),
                           "tokenizer_source");
        if (same && !mapped) return {};
        if (!same && recipe_.tokenizer.source == none) {
            const auto other = static_cast<std::size_t>(
                std::ranges::find_if(vocabularies, [&](const Vocabulary& each) { return !(each == vocabularies[0]); }) -
                vocabularies.begin());
            return invalid(
                std::format("{} and {} have different vocabularies ({} and {} tokens); the recipe must say tokenizer_source: base or union",
                            plan_.names[0].path, plan_.names[other].path, vocabularies[0].tokens.size(), vocabularies[other].tokens.size()),
                "tokenizer_source");
        }
        if (plan_.format == TensorFormat::gguf)
            return invalid("vocabularies are put together for models in safetensors; convert the models first", "tokenizer_source");
        auto map = map_tokens(recipe_.tokenizer, plan_.names, vocabularies, 0);
        if (!map) return std::unexpected(map.error());
        plan_.tokens = std::move(*map);
        return {};
    }

    Result<Sources> sources_of(const Slice& slice) {
        Sources out;
        const std::optional<ModelName>& base = slice.base ? slice.base : recipe_.base;
        for (const SliceSource& source : slice.sources) {
            Source& made = out.emplace_back();
            made.model = model_of(source.model);
            const std::uint64_t layers = layers_of(plan_.models[made.model]);
            made.layers = source.layers.value_or(LayerRange{0, layers});
            made.parameters = &source.parameters;
            made.is_base = base && source.model == *base;
            if (made.layers.end > layers)
                return invalid(std::format("{} has {} layers, the recipe asks for {}", source.model.path, layers, made.layers.end),
                               "layer_range");
            if (made.layers.end - made.layers.begin != out.front().layers.end - out.front().layers.begin)
                return invalid(recipe_.whole_models ? std::format("{} and {} have different numbers of layers",
                                                                  slice.sources.front().model.path, source.model.path)
                                                    : std::string("the sources of a slice have ranges of different lengths"),
                               "layer_range");
        }
        // A base that is not listed takes part with the same layers; passthrough takes one model and ignores it.
        if (base && method_->method != MergeMethod::passthrough && method_->base != MethodFacts::Base::none &&
            std::ranges::none_of(out, &Source::is_base)) {
            if (std::ranges::any_of(out, [&](const Source& each) { return !(each.layers == out.front().layers); }))
                return invalid("base_model must be among the sources of a slice whose layer ranges differ", "base_model");
            out.push_back({model_of(*base), out.front().layers, nullptr, true});
        }
        if (method_->base == MethodFacts::Base::none)
            for (Source& each : out) each.is_base = false;
        const auto bases = static_cast<std::size_t>(std::ranges::count(out, true, &Source::is_base));
        if (method_->base == MethodFacts::Base::required && bases != 1)
            return invalid(std::format("merge_method {} needs base_model", recipe_.method), "base_model");
        if (out.size() - bases < method_->models_least || out.size() - bases > method_->models_most)
            return invalid(std::format("merge_method {} takes {} {} model{}{}, the recipe has {}", recipe_.method,
                                       method_->models_least == method_->models_most ? "exactly" : "at least", method_->models_least,
                                       method_->models_least == 1 ? "" : "s", bases > 0 ? " beside the base" : "", out.size() - bases),
                           "models");
        return out;
    }

    // The tensor of a source that plays this part, or what it is tied to.
    std::optional<std::size_t> tensor_of(const Source& source, std::string_view tensor) const {
        const TensorFile& model = plan_.models[source.model];
        if (const auto found = model.find(tensor)) return found;
        const std::string_view tied = tied_to(tensor);
        return tied.empty() ? std::nullopt : model.find(tied);
    }

    struct Place {
        const Slice* slice = nullptr;
        const Sources* sources = nullptr;
        std::string out_name;
        std::vector<std::string> names;  // of each source
        double at = 0;
    };

    Result<void> plan_tensor(const Place& place) {
        const Sources& sources = *place.sources;
        TensorTask task{.method = method_->method};
        std::vector<std::string> matched{place.out_name};
        for (const auto& each : {hugging_face_name(place.out_name), gguf_name(place.out_name)})
            if (each) matched.push_back(*each);
        std::vector<const Tensor*> seen;
        for (std::size_t i = 0; i < sources.size(); ++i) {
            const auto found = tensor_of(sources[i], place.names[i]);
            if (!found) return invalid(std::format("{} has no tensor {}", plan_.names[sources[i].model].path, printable(place.names[i])));
            const Tensor& tensor = plan_.models[sources[i].model].tensor(*found);
            seen.push_back(&tensor);
            const std::vector<const Parameters*> levels{sources[i].parameters, &place.slice->parameters, &recipe_.parameters};
            auto read = input_parameters(levels, matched, place.at, sources[i].is_base, plan_.names[sources[i].model].path);
            if (!read) return std::unexpected(read.error());
            MergeInput input{sources[i].model, *found, *read};
            if (sources[i].is_base) task.base = input;
            else task.inputs.push_back(input);
        }
        if (auto done = set_shape(task, seen, place); !done) return done;
        std::vector<const Parameters*> levels;
        for (const Source& each : sources) levels.push_back(each.parameters);
        levels.push_back(&place.slice->parameters);
        levels.push_back(&recipe_.parameters);
        if (auto done = tensor_parameters(task, levels, matched, place.at); !done) return done;
        set_types(task, seen);
        plan_.tasks.push_back(std::move(task));
        return {};
    }

    Result<void> set_shape(TensorTask& task, const std::vector<const Tensor*>& seen, const Place& place) {
        task.out.name = place.out_name;
        task.out.shape = seen.front()->shape;
        if (plan_.tokens && is_vocabulary_tensor(place.out_name)) {
            for (const Tensor* each : seen)
                if (each->shape.size() != 2 || each->shape[1] != seen.front()->shape[1])
                    return invalid(std::format("tensor {} has different widths in the models", printable(place.out_name)));
            task.out.shape[0] = plan_.tokens->count;
            return {};
        }
        for (std::size_t i = 0; i < seen.size(); ++i)
            if (seen[i]->shape != seen.front()->shape)
                return invalid(
                    std::format("tensor {} has another shape in {} than in {}{}", printable(place.out_name),
                                plan_.names[(*place.sources)[i].model].path, plan_.names[(*place.sources)[0].model].path,
                                is_vocabulary_tensor(place.out_name) ? "; the recipe must say tokenizer_source: base or union" : ""));
        return {};
    }

    Result<InputParameters> input_parameters(const std::vector<const Parameters*>& levels, const std::vector<std::string>& names, double at,
                                             bool is_base, const std::string& path) const {
        using enum MergeMethod;
        InputParameters out;
        const auto value = [&](std::string_view name) { return parameter(name, levels, names, at); };
        const auto weight = value("weight");
        const MergeMethod m = method_->method;
        const bool weighted =
            m != slerp && m != karcher && m != sce && m != model_stock && m != nearswap && m != arcee_fusion && m != passthrough;
        if (weighted && !weight && !is_base)
            return invalid(std::format("recipe, parameters: {} has no weight for tensor {}", path, printable(names.front())), "weight");
        out.weight = weight.value_or(1);
        out.density = value("density").value_or(1);
        out.gamma = value("gamma").value_or(0.01);
        out.epsilon = value("epsilon").value_or(0.15);
        if (out.density < 0 || out.density > 1)
            return invalid(std::format("recipe, parameters: density {} is not between 0 and 1", out.density), "density");
        if (out.gamma < 0 || out.gamma > 1)
            return invalid(std::format("recipe, parameters: gamma {} is not between 0 and 1", out.gamma), "gamma");
        return out;
    }

    Result<void> tensor_parameters(TensorTask& task, const std::vector<const Parameters*>& levels, const std::vector<std::string>& names,
                                   double at) const {
        using enum MergeMethod;
        const auto value = [&](std::string_view name) { return parameter(name, levels, names, at); };
        TensorParameters& p = task.parameters;
        const auto t = value("t");
        if ((task.method == slerp || task.method == nearswap) && !t)
            return invalid(std::format("recipe, parameters: t is missing for tensor {}", printable(task.out.name)), "t");
        p.t = t.value_or(0);
        p.lambda = value("lambda").value_or(1);
        p.scale = value("scale");
        p.normalize = value("normalize").value_or(task.method == linear || task.method == ties || task.method == della ? 1 : 0) != 0;
        p.rescale = value("rescale").value_or(1) != 0;
        p.normalize_weights = value("normalize_weights").value_or(1) != 0;
        p.eps = value("eps").value_or(1e-8);
        p.flatten = value("nuslerp_flatten").value_or(1) != 0;
        p.row_wise = value("nuslerp_row_wise").value_or(0) != 0;
        p.filter_wise = value("filter_wise").value_or(0) != 0;
        p.select_topk = value("select_topk").value_or(1);
        p.max_iter = static_cast<std::uint64_t>(std::clamp(value("max_iter").value_or(10), 0.0, 10'000.0));
        p.tolerance = value("tol").value_or(1e-5);
        return {};
    }

    void set_types(TensorTask& task, const std::vector<const Tensor*>& seen) const {
        const bool alike = std::ranges::all_of(seen, [&](const Tensor* each) { return each->type == seen.front()->type; });
        const TensorType own = seen.front()->type;
        // Counters, masks and the like are carried over, never averaged.
        if (!is_real(own)) {
            task.method = MergeMethod::passthrough;
            task.inputs = {task.base.value_or(task.inputs.front())};
            task.base.reset();
            task.out.type = own;
            task.copied = true;
            return;
        }
        task.working = recipe_.dtype ? working_of(*recipe_.dtype) : alike ? working_of(own) : Working::f32;
        const bool vector = plan_.format == TensorFormat::gguf && task.out.shape.size() < 2;  // GGUF keeps norms in f32
        task.out.type = own;
        if (recipe_.out_dtype || (recipe_.dtype && !is_quantised(own)))
            task.out.type = vector ? own : recipe_.out_dtype.value_or(recipe_.dtype.value_or(own));
        if (task.out.row() % block(task.out.type).elements != 0) task.out.type = TensorType::f16;
        if (!can_write(task.out.type) && task.method != MergeMethod::passthrough) task.out.type = TensorType::q8_0;
        const bool mapped = plan_.tokens && is_vocabulary_tensor(task.out.name);
        task.copied = task.method == MergeMethod::passthrough && !mapped && !task.parameters.scale.has_value() && task.out.type == own &&
                      (is_quantised(own) || working_of(own) == task.working || task.working == Working::f32);
    }

    // Names outside the layers in the first model's order, those after the layers from the last slice.
    Result<void> plan_all() {
        plan_.leading = leading();
        std::vector<std::string> before, after;
        std::set<std::string> outside;
        for (const auto* sources : {&slices_.front(), &slices_.back()})
            for (const Source& source : *sources)
                for (const Tensor& tensor : plan_.models[source.model].tensors())
                    if (!layer_name(tensor.name) && !is_computed(tensor.name) && outside.insert(tensor.name).second)
                        (is_before_layers(tensor.name) ? before : after).push_back(tensor.name);
        for (const std::string& name : before)
            if (auto done = plan_outside(name, 0); !done) return done;
        for (std::size_t s = 0; s < slices_.size(); ++s)
            if (auto done = plan_layers(s); !done) return done;
        for (const std::string& name : after)
            if (auto done = plan_outside(name, slices_.size() - 1); !done) return done;
        return {};
    }

    Result<void> plan_outside(const std::string& name, std::size_t s) {
        return plan_tensor({&recipe_.slices[s], &slices_[s], name, std::vector<std::string>(slices_[s].size(), name), 0});
    }

    Result<void> plan_layers(std::size_t s) {
        const Sources& sources = slices_[s];
        const std::uint64_t count = sources.front().layers.end - sources.front().layers.begin;
        for (std::uint64_t k = 0; k < count; ++k, ++next_layer_) {
            std::vector<LayerName> names;
            std::set<std::string> seen;
            for (const Source& source : sources)
                for (const Tensor& tensor : plan_.models[source.model].tensors())
                    if (auto parts = layer_name(tensor.name);
                        parts && parts->layer == source.layers.begin + k && !is_computed(tensor.name) && seen.insert(parts->after).second)
                        names.push_back(std::move(*parts));
            for (const LayerName& name : names) {
                Place place{&recipe_.slices[s],
                            &sources,
                            name.with(next_layer_),
                            {},
                            count > 1 ? static_cast<double>(k) / static_cast<double>(count - 1) : 1};
                for (const Source& source : sources) place.names.push_back(name.with(source.layers.begin + k));
                if (auto done = plan_tensor(place); !done) return done;
            }
        }
        return {};
    }

    std::size_t leading() const {
        if (recipe_.tokenizer.source == TokenizerRule::Source::model) return model_of(recipe_.tokenizer.model);
        return recipe_.base ? model_of(*recipe_.base) : slices_.front().front().model;
    }

    const MergeRecipe& recipe_;
    const MethodFacts* method_ = nullptr;
    MergePlan plan_;
    std::vector<Sources> slices_;
    std::uint64_t next_layer_ = 0;
};

}  // namespace

Result<MergePlan> plan_tensors(const MergeRecipe& recipe) { return Planner(recipe).run(); }

std::uint64_t bytes_read(const MergePlan& plan, const TensorTask& task) {
    std::uint64_t once = 0;
    for (const MergeInput& input : task.inputs) once += plan.models[input.model].tensor(input.tensor).bytes();
    if (task.base) once += plan.models[task.base->model].tensor(task.base->tensor).bytes();
    return once * (task.copied ? 1 : tensor_method(task, 0)->passes() + 1);
}

}  // namespace hanse::forge

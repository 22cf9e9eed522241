# SPDX-License-Identifier: Apache-2.0
"""Merges of small random models beside mergekit's, element by element.

  script/bench mergekit_parity [--json FILE] [--only METHOD]
  script/bench mergekit_parity --golden src/forge/cases/mergekit.json    write the vectors that forge_test compares with

For every deterministic method several recipes are run by `hanse forge merge` and by mergekit on the same models; the table tells the
share of elements with the same bits and the largest distance, in units of the last place of the output's type and as a number. What
differs on purpose is marked, with its reason. mergekit runs as it comes from the package index, in an environment of its own
($HANSE_CACHE/peers/forge, made at the first call; about 6 GB, since it brings PyTorch). Exit code 1 where a promise does not hold.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import forge_peer

HEADS, WIDTH, FEED, LAYERS, WORDS = 4, 64, 96, 3, 101

# Name, what is promised, recipe. "bits": every element has the same bits. "ulp 1": no element in ten thousand is further than one unit of the
# last place. "exact": for f32, where mergekit's own scalar products are f32 sums, in an order that the processor decides: within 1e-6 of it, and no
# element in five thousand further than one unit from what mergekit makes of the same recipe in double precision. "ties": the same bits but for
# elements that tie at a cut, of which either may stay. "near": within 1e-6, where weights come from f32 sums. "": told only; mergekit computes angles in 16 bits there, which we do not. {0}, {1}, {2} stand
# for models, {b} for their base.


def listed(*entries):
    out = "models:\n"
    for model, parameters in entries:
        out += f"  - model: {model}\n"
        if parameters:
            out += "    parameters:\n" + "".join(f"      {k}: {v}\n" for k, v in parameters.items())
    return out


def recipes():
    two = lambda w0, w1, **more: listed(("{0}", {"weight": w0, **more}), ("{1}", {"weight": w1, **more}))
    three = lambda *w, **more: listed(*((f"{{{i}}}", {"weight": x, **more}) for i, x in enumerate(w)))
    base = "base_model: '{b}'\n"
    for dtype in ("bfloat16", "float32", "float16"):
        tail = f"dtype: {dtype}\n"
        yield f"linear {dtype}", "bits", three(1, 0.3, 0.25) + "merge_method: linear\n" + tail
        yield f"task_arithmetic {dtype}", "bits", three(0.6, 0.3, 0.4) + base + "merge_method: task_arithmetic\n" + tail
        yield f"passthrough scale {dtype}", "bits", listed(("{0}", {"scale": 0.37})) + "merge_method: passthrough\n" + tail
        yield f"ties density 1 {dtype}", "bits", three(0.6, 0.3, 0.4, density=1.0) + base + "merge_method: ties\n" + tail
        yield f"ties {dtype}", "ties", three(0.6, 0.3, 0.4, density=0.4) + base + "merge_method: ties\n" + tail
        yield f"breadcrumbs {dtype}", "ties", three(0.6, 0.3, 0.4, density=0.6, gamma=0.05) + base + "merge_method: breadcrumbs\n" + tail
        yield f"breadcrumbs_ties {dtype}", "ties", three(0.6, 0.3, 0.4, density=0.6, gamma=0.05) + base + "merge_method: breadcrumbs_ties\n" + tail
        yield f"sce {dtype}", "ties", three(1, 1, 1) + base + "merge_method: sce\nparameters:\n  select_topk: 0.5\n" + tail
        yield f"sce all {dtype}", "near" if dtype == "float32" else "bits", three(1, 1, 1) + base + "merge_method: sce\n" + tail
        yield f"slerp {dtype}", "exact" if dtype == "float32" else "ulp 1", listed(("{b}", {}), ("{1}", {})) + base + "merge_method: slerp\nparameters:\n  t: 0.35\n" + tail
        yield f"nuslerp {dtype}", "exact" if dtype == "float32" else "", two(0.6, 0.3) + "merge_method: nuslerp\n" + tail
        yield f"nuslerp base {dtype}", "exact" if dtype == "float32" else "", two(0.6, 0.3) + base + "merge_method: nuslerp\n" + tail
        yield f"multislerp {dtype}", "exact" if dtype == "float32" else "", three(0.5, 0.3, 0.2) + "merge_method: multislerp\n" + tail
        yield f"multislerp base {dtype}", "exact" if dtype == "float32" else "", three(0.5, 0.3, 0.2) + base + "merge_method: multislerp\n" + tail
        yield f"karcher {dtype}", "exact" if dtype == "float32" else "", three(0.5, 0.3, 0.2) + "merge_method: karcher\n" + tail
        yield f"model_stock {dtype}", "exact" if dtype == "float32" else "", three(1, 1, 1) + base + "merge_method: model_stock\n" + tail
        yield f"nearswap {dtype}", "bits", listed(("{1}", {})) + base + "merge_method: nearswap\nparameters:\n  t: 0.01\n" + tail
        yield f"arcee_fusion {dtype}", "", listed(("{1}", {})) + base + "merge_method: arcee_fusion\n" + tail
    tail = "dtype: bfloat16\n"
    yield "linear undivided", "bits", two(0.7, 0.6) + "merge_method: linear\nparameters:\n  normalize: false\n" + tail
    yield "linear of one", "bits", listed(("{0}", {"weight": 0.3})) + "merge_method: linear\n" + tail
    yield "linear, computed in float32, kept as bfloat16", "bits", three(1, 0.3, 0.25) + "merge_method: linear\ndtype: float32\nout_dtype: bfloat16\n"
    yield "linear, gradients", "bits", two("[0, 0.3, 0.9]", "[1, 0.2]") + "merge_method: linear\n" + tail
    yield "linear, filters", "bits", (
        "models:\n  - model: '{0}'\n    parameters:\n      weight:\n        - filter: mlp\n          value: [0.1, 0.9]\n        - filter: self_attn\n"
        "          value: 0.25\n        - value: 0.5\n  - model: '{1}'\n    parameters:\n      weight: 0.5\nmerge_method: linear\n" + tail)
    yield "task_arithmetic lambda", "bits", three(0.6, -0.3, 0.4) + base + "merge_method: task_arithmetic\nparameters:\n  lambda: 0.7\n" + tail
    yield "task_arithmetic normalized", "bits", three(0.6, 0.3, 0.4) + base + "merge_method: task_arithmetic\nparameters:\n  normalize: true\n" + tail
    yield "ties undivided", "bits", three(0.6, 0.3, 0.4, density=1.0) + base + "merge_method: ties\nparameters:\n  normalize: false\n" + tail
    yield "dare_ties density 1", "bits", three(0.6, 0.3, 0.4, density=1.0) + base + "merge_method: dare_ties\n" + tail
    yield "dare_linear density 1", "bits", three(0.6, 0.3, 0.4, density=1.0) + base + "merge_method: dare_linear\n" + tail
    yield "slerp, filters and gradients", "ulp 1", (
        "slices:\n  - sources:\n      - model: '{b}'\n        layer_range: [0, 3]\n      - model: '{1}'\n        layer_range: [0, 3]\nmerge_method: slerp\n" + base +
        "parameters:\n  t:\n    - filter: self_attn\n      value: [0, 0.5, 0.3, 0.7, 1]\n    - filter: mlp\n      value: [1, 0.5, 0.7, 0.3, 0]\n    - value: 0.5\n" + tail)
    yield "nuslerp by rows", "exact", two(0.6, 0.3) + "merge_method: nuslerp\nparameters:\n  nuslerp_flatten: false\n  nuslerp_row_wise: true\ndtype: float32\n"
    yield "nuslerp by columns", "exact", two(0.6, 0.3) + "merge_method: nuslerp\nparameters:\n  nuslerp_flatten: false\ndtype: float32\n"
    yield "model_stock by rows", "", three(1, 1, 1) + base + "merge_method: model_stock\nparameters:\n  filter_wise: true\ndtype: float32\n"
    yield "passthrough, stacked slices", "bits", (
        "slices:\n  - sources:\n      - model: '{0}'\n        layer_range: [0, 2]\n  - sources:\n      - model: '{1}'\n        layer_range: [1, 3]\n"
        "        parameters:\n          scale:\n            - filter: o_proj\n              value: 0.0\n            - value: 1.0\nmerge_method: passthrough\n" + tail)
    yield "slices with precedence", "bits", (
        "slices:\n  - sources:\n      - model: '{0}'\n        layer_range: [0, 2]\n        parameters:\n          weight: 0.9\n      - model: '{1}'\n        layer_range: [1, 3]\n"
        "    parameters:\n      weight: [0.1, 0.6]\n  - sources:\n      - model: '{0}'\n        layer_range: [2, 3]\n      - model: '{1}'\n        layer_range: [0, 1]\n"
        "merge_method: linear\nparameters:\n  weight: 0.5\n" + tail)
    yield "modules", "bits", "modules:\n  default:\n    models:\n      - model: '{0}'\n      - model: '{1}'\nparameters:\n  weight: 0.5\nmerge_method: linear\n" + tail


def shapes():
    yield "model.embed_tokens.weight", (WORDS, WIDTH)
    for i in range(LAYERS):
        p = f"model.layers.{i}."
        yield p + "input_layernorm.weight", (WIDTH,)
        yield p + "post_attention_layernorm.weight", (WIDTH,)
        for name, rows in (("q", WIDTH), ("k", WIDTH // 2), ("v", WIDTH // 2), ("o", WIDTH)):
            yield p + f"self_attn.{name}_proj.weight", (rows, WIDTH)
        yield p + "mlp.gate_proj.weight", (FEED, WIDTH)
        yield p + "mlp.up_proj.weight", (FEED, WIDTH)
        yield p + "mlp.down_proj.weight", (WIDTH, FEED)
    yield "model.norm.weight", (WIDTH,)
    yield "lm_head.weight", (WORDS, WIDTH)


def write_golden(file):
    """A matrix and a vector of models that are tiny, and what mergekit makes of them, as bits in hexadecimal."""
    global HEADS, WIDTH, FEED, LAYERS, WORDS
    HEADS, WIDTH, FEED, LAYERS, WORDS = 2, 8, 12, 3, 10
    import importlib.metadata
    kept = ("model.layers.1.mlp.up_proj.weight", "model.layers.1.input_layernorm.weight")
    bits = lambda t: t.contiguous().view(dtype=__import__("torch").uint8).numpy().tobytes().hex()
    chosen = ("linear", "task_arithmetic", "passthrough scale", "ties density 1", "ties undivided", "nearswap", "slerp", "dare_ties density 1", "dare_linear density 1", "sce all")
    with tempfile.TemporaryDirectory(prefix="hanse-golden-") as folder:
        folder = pathlib.Path(folder)
        make_models(folder)
        names = {key: str(folder / f"model-{key}") for key in ("b", "0", "1", "2")}
        out = {"mergekit": importlib.metadata.version("mergekit"), "models": {key: {n: bits(load(pathlib.Path(path))[n]) for n in kept} for key, path in names.items()}, "merges": []}
        for name, promise, recipe in recipes():
            if promise not in ("bits", "ulp 1") or not name.startswith(chosen) or "slices" in name:
                continue
            filled = recipe
            for key, path in names.items():
                filled = filled.replace("{" + key + "}", path)
            target = folder / f"out-{len(out['merges'])}"
            by_mergekit(filled, target)
            made = load(target)
            out["merges"].append({"name": name, "recipe": recipe, "ulps": 0 if promise == "bits" else 1, "type": str(made[kept[0]].dtype).removeprefix("torch."),
                                  "tensors": {n: bits(made[n]) for n in kept}})
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(out, indent=1) + "\n")
    print(f"{file}: {len(out['merges'])} merges")


def make_models(folder):
    import torch
    from safetensors.torch import save_file
    generator = torch.Generator().manual_seed(20261124)
    draw = lambda shape, scale: torch.randn(shape, generator=generator) * scale
    base = {name: draw(shape, 0.05) for name, shape in shapes()}
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": WIDTH, "intermediate_size": FEED, "num_hidden_layers": LAYERS,
              "num_attention_heads": HEADS, "num_key_value_heads": HEADS // 2, "vocab_size": WORDS, "max_position_embeddings": 128, "rms_norm_eps": 1e-5,
              "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": False, "torch_dtype": "bfloat16", "bos_token_id": 1, "eos_token_id": 2}
    for number in ("b", "0", "1", "2"):
        weights = {name: (x + (draw(x.shape, 0.01) if number != "b" else 0)).to(torch.bfloat16) for name, x in base.items()}
        path = folder / f"model-{number}"
        path.mkdir()
        save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
        (path / "config.json").write_text(json.dumps(config))


def by_mergekit(recipe, output):
    import yaml
    from mergekit.config import MergeConfiguration
    from mergekit.merge import MergeOptions, run_merge
    run_merge(MergeConfiguration.model_validate(yaml.safe_load(recipe)), str(output), options=MergeOptions(copy_tokenizer=False, quiet=True, random_seed=1))


def by_hanse(recipe, output):
    file = output.with_suffix(".yml")
    file.write_text(recipe)
    done = subprocess.run([os.environ["HANSE_BIN"], "forge", "merge", file, "--output", output, "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)


def load(folder):
    from safetensors.torch import load_file
    out = {}
    for file in sorted(folder.glob("*.safetensors")):
        out.update(load_file(file))
    return out


def compare(mine, theirs):
    """Share of equal elements, largest distance in units of the last place, largest difference, and the share that is near (one unit)."""
    import torch
    if mine.keys() != theirs.keys():
        raise RuntimeError(f"other tensors: {sorted(mine.keys() ^ theirs.keys())[:4]}")
    equal = total = near = 0
    ulps, largest = 0, 0.0
    for name, x in mine.items():
        y = theirs[name]
        if x.shape != y.shape:
            raise RuntimeError(f"{name}: {tuple(x.shape)} against {tuple(y.shape)}")
        y = y.to(x.dtype)  # mergekit's fusion writes f32 whatever dtype says
        kind = torch.int32 if x.dtype == torch.float32 else torch.int16
        order = lambda t: (lambda b: torch.where(b < 0, (-(2 ** (31 if kind == torch.int32 else 15))) - b, b))(t.contiguous().view(kind).to(torch.int64))
        away = (order(x) - order(y)).abs()
        away = torch.where(x == y, torch.zeros_like(away), away)  # +0 and -0 are one number
        equal += int((away == 0).sum())
        near += int((away <= 1).sum())
        total += away.numel()
        ulps = max(ulps, int(away.max()))
        largest = max(largest, float((x.float() - y.float()).abs().max()))
    return equal / total, ulps, largest, near / total


def not_at_a_cut(name, folder, mine, theirs):
    """How many of the elements that differ have no equal on the other side of a cut."""
    import torch
    models = {key: load(folder / f"model-{key}") for key in ("b", "0", "1", "2")}
    method, dtype = name.split()[0], getattr(torch, name.split()[-1])
    count = 0
    for tensor, x in mine.items():
        differs = (x != theirs[tensor].to(x.dtype)).reshape(-1)
        base = models["b"][tensor].to(dtype)
        deltas = [models[key][tensor].to(dtype) - base for key in "012"]
        if method == "sce":
            # Another choice among equals changes the weights of the whole tensor; where the choice is the same, all else must be.
            base = base.to(x.dtype)
            chosen = ((x == base) != (theirs[tensor] == base)).reshape(-1)
            away = (x.float() - theirs[tensor].float()).abs().reshape(-1)
            differs = chosen if chosen.any() else away > (1e-6 if dtype == torch.float32 else 0)
            ranked = [torch.var(torch.stack(deltas), dim=0, unbiased=False)]
            cut = lambda size, values: [size - int(0.5 * int(torch.count_nonzero(values)))]
        else:
            ranked = [delta.abs() for delta in deltas]
            cut = lambda size, _: [size - int(0.4 * size)] if method == "ties" else [size - int(0.05 * size) - int(0.6 * size), size - int(0.05 * size)]
        for values in ranked:
            values = values.reshape(-1)
            rising = torch.sort(values).values
            for place in cut(len(rising), values):
                if rising[place - 1] == rising[place]:
                    differs &= values != rising[place]
        count += int(differs.sum())
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--only", default="", metavar="METHOD", help="recipes whose name begins so")
    parser.add_argument("--golden", metavar="FILE", type=pathlib.Path)
    options = parser.parse_args()
    forge_peer.enter()
    import logging
    import warnings
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    if options.golden:
        write_golden(options.golden)
        return 0
    rows, broken = [], 0
    with tempfile.TemporaryDirectory(prefix="hanse-parity-") as folder:
        folder = pathlib.Path(folder)
        make_models(folder)
        names = {key: str(folder / f"model-{key}") for key in ("b", "0", "1", "2")}
        for number, (name, promise, recipe) in enumerate(recipes()):
            if not name.startswith(options.only):
                continue
            for key, path in names.items():
                recipe = recipe.replace("{" + key + "}", path)
            mine, theirs = folder / f"hanse-{number}", folder / f"mergekit-{number}"
            try:
                by_hanse(recipe, mine)
                by_mergekit(recipe, theirs)
                made, expected = load(mine), load(theirs)
                share, ulps, largest, near = compare(made, expected)
                more, said = {}, ""
                if promise == "exact":
                    by_mergekit(recipe.replace("dtype: float32", "dtype: float64\nout_dtype: float32"), folder / f"double-{number}")
                    _, farthest, _, exact = compare(made, load(folder / f"double-{number}"))
                    more = {"within_one_ulp_of_double": exact, "largest_ulps_of_double": farthest}
                    said = f", in double precision {exact:.4%}, largest {farthest} ulp"
                elif promise == "ties":
                    more = {"not_at_a_cut": not_at_a_cut(name, folder, made, expected)}
                    said = f", not tied at a cut: {more['not_at_a_cut']}"
            except Exception as error:  # a recipe that one of the two refuses is a result too
                rows.append({"recipe": name, "promise": promise, "error": f"{type(error).__name__}: {error}"[:300]})
                broken += promise != ""
                print(f"{name:46} {promise:6} {rows[-1]['error']}", flush=True)
                continue
            held = {"bits": share == 1, "ulp 1": near >= 0.9999, "near": largest <= 1e-6, "exact": largest <= 1e-6 and more.get("within_one_ulp_of_double", 0) >= 0.9998,
                    "ties": more.get("not_at_a_cut") == 0}.get(promise, True)
            broken += not held
            rows.append({"recipe": name, "promise": promise, "equal": share, "within_one_ulp": near, "largest_ulps": ulps, "largest": largest, "held": held, **more})
            print(f"{name:46} {promise:6} {share:10.4%} equal {near:10.4%} within 1 ulp, largest {ulps:6} ulp, {largest:.2e}{said} {'' if held else '  NOT AS PROMISED'}", flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"rows": rows, "broken": broken}, indent=1))
    print(f"{len(rows)} recipes, {broken} not as promised")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

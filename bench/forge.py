# SPDX-License-Identifier: Apache-2.0
"""Merges of four models of 1.1 billion parameters beside mergekit and beside copying.

  script/bench forge [--json FILE] [--quick] [--without-mergekit]

The models are random bfloat16 with the shapes of TinyLlama-1.1B (2.2 GB each), made here in $HANSE_CACHE/bench/forge and kept. A linear and a TIES
merge (density 0.5, the first model is the base) run once by `hanse forge merge` without digests, once with; in between `cp` copies one model, with
what it wrote synced, as the merges sync. Rates count bytes read and written, each pass. mergekit merges the first layers of the same models only,
stated in the output, and its time is scaled by bytes: whole, it would take minutes. --quick: models of 14 million parameters.

Exit code 1 unless hanse is at least 5 times as fast as mergekit, moves at least half as many bytes a second as cp, and stays under 1 GiB.
"""
import argparse
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import time

import forge_peer

FULL = {"hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers": 22, "num_attention_heads": 32, "num_key_value_heads": 4, "vocab_size": 32000}
SMALL = {"hidden_size": 256, "intermediate_size": 768, "num_hidden_layers": 6, "num_attention_heads": 8, "num_key_value_heads": 4, "vocab_size": 16000}


def shapes(c, layers):
    d, f, kv = c["hidden_size"], c["intermediate_size"], c["hidden_size"] // c["num_attention_heads"] * c["num_key_value_heads"]
    yield "model.embed_tokens.weight", (c["vocab_size"], d)
    for i in range(layers):
        p = f"model.layers.{i}."
        yield from ((p + "input_layernorm.weight", (d,)), (p + "mlp.down_proj.weight", (d, f)), (p + "mlp.gate_proj.weight", (f, d)), (p + "mlp.up_proj.weight", (f, d)),
                    (p + "post_attention_layernorm.weight", (d,)), (p + "self_attn.k_proj.weight", (kv, d)), (p + "self_attn.o_proj.weight", (d, d)),
                    (p + "self_attn.q_proj.weight", (d, d)), (p + "self_attn.v_proj.weight", (kv, d)))
    yield "model.norm.weight", (d,)
    yield "lm_head.weight", (c["vocab_size"], d)


def make_model(folder, c, layers, number):
    """Normal numbers around those of model 0, so that task vectors look like those of finetuned models."""
    import numpy
    if (folder / "config.json").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    head, at = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in shapes(c, layers):
        size = 2 * int(numpy.prod(shape))
        head[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    base, own = numpy.random.default_rng(1), numpy.random.default_rng(100 + number)
    with open(folder / "model.safetensors", "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        left = at // 2
        while left:
            count = min(left, 1 << 22)
            values = base.standard_normal(count, dtype=numpy.float32) * 0.02
            if number:
                values += own.standard_normal(count, dtype=numpy.float32) * 0.002
            bits = values.view(numpy.uint32)
            out.write(((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(numpy.uint16).tobytes())
            left -= count
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "rms_norm_eps": 1e-5, "max_position_embeddings": 2048, "rope_theta": 10000.0,
              "tie_word_embeddings": False, "torch_dtype": "bfloat16", "bos_token_id": 1, "eos_token_id": 2, **c, "num_hidden_layers": layers}
    (folder / "config.json").write_text(json.dumps(config))


def recipe(method, models):
    if method == "linear":
        entries = "".join(f"  - model: {m}\n    parameters:\n      weight: {w}\n" for m, w in zip(models, (0.4, 0.3, 0.2, 0.1)))
        return f"models:\n{entries}merge_method: linear\ndtype: bfloat16\n"
    entries = "".join(f"  - model: {m}\n    parameters:\n      weight: {w}\n      density: 0.5\n" for m, w in zip(models[1:], (0.4, 0.3, 0.3)))
    return f"models:\n{entries}merge_method: ties\nbase_model: {models[0]}\nparameters:\n  normalize: true\ndtype: bfloat16\n"


def timed(command):
    """Seconds and peak resident memory in bytes."""
    begin = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise RuntimeError(f"{command}: {text.decode(errors='replace')[-500:]}")
    return time.monotonic() - begin, usage.ru_maxrss * 1024, text.decode()


def warm(folder):
    """Into the page cache: what is measured is merging, not this machine's disk."""
    for file in folder.glob("*.safetensors"):
        with open(file, "rb", buffering=0) as source:
            while source.read(1 << 24):
                pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--without-mergekit", action="store_true")
    options = parser.parse_args()
    forge_peer.enter()
    c = SMALL if options.quick else FULL
    home = pathlib.Path(os.environ.get("HANSE_CACHE") or pathlib.Path.home() / ".cache/hanse") / "bench" / "forge" / ("quick" if options.quick else "full")
    home.mkdir(parents=True, exist_ok=True)
    part = 2 if not options.quick else c["num_hidden_layers"]  # layers that mergekit merges
    needed = 6 * sum(2 * (s[0] * (s[1] if len(s) > 1 else 1)) for _, s in shapes(c, c["num_hidden_layers"]))
    if not (home / "model-3" / "config.json").exists() and shutil.disk_usage(home).free < 2 * needed:
        print(f"{home} has no room for {needed / 1e9:.0f} GB", file=sys.stderr)
        return 77
    models = [home / f"model-{i}" for i in range(4)]
    parts = [home / f"part-{i}" for i in range(4)]
    for i in range(4):
        make_model(models[i], c, c["num_hidden_layers"], i)
        make_model(parts[i], c, part, i)
    for folder in models:
        warm(folder)
    size = (models[0] / "model.safetensors").stat().st_size
    hanse = os.environ["HANSE_BIN"]
    out, failed = {"parameters": size // 2, "bytes_per_model": size, "rows": []}, False

    copy_to = home / "copy.safetensors"
    begin = time.monotonic()
    subprocess.run(["sh", "-c", f"cp '{models[0]}/model.safetensors' '{copy_to}' && sync '{copy_to}'"], check=True)
    copy_rate = 2 * size / (time.monotonic() - begin)
    copy_to.unlink()
    print(f"{size / 2e9:.2f} billion parameters a model; cp with sync: {copy_rate / 1e9:.2f} GB/s read and written")
    out["cp_bytes_per_second"] = copy_rate
    for method in ("linear", "ties"):
        row = {"method": method}
        for digests in (False, True):
            target = home / "merged"
            shutil.rmtree(target, ignore_errors=True)
            file = home / f"{method}.yml"
            file.write_text(recipe(method, models))
            seconds, memory, text = timed([hanse, "forge", "merge", file, "--output", target, "--json"] + ([] if digests else ["--no-digests"]))
            told = json.loads(text.strip().splitlines()[-1])
            moved = told["bytes_to_read"] + told["bytes_to_write"]
            row["with_digests" if digests else "plain"] = {"seconds": seconds, "bytes": moved, "bytes_per_second": moved / seconds, "peak_bytes": memory}
            shutil.rmtree(target, ignore_errors=True)
        row["of_cp"] = row["plain"]["bytes_per_second"] / copy_rate
        if not options.without_mergekit:
            file.write_text(recipe(method, parts))
            begin = time.monotonic()
            _, memory, said = timed([sys.executable, "-c", "import sys, time, yaml\nfrom mergekit.config import MergeConfiguration\nfrom mergekit.merge import MergeOptions, run_merge\n"
                                        "begin = time.monotonic()\nrun_merge(MergeConfiguration.model_validate(yaml.safe_load(open(sys.argv[1]))), sys.argv[2], options=MergeOptions(copy_tokenizer=False, quiet=True))\n"
                                        "print('seconds', time.monotonic() - begin)", str(file), str(home / "merged-by-mergekit")])
            seconds = float(said.strip().splitlines()[-1].split()[1])  # without the start of Python and its imports
            share = (parts[0] / "model.safetensors").stat().st_size / size
            shutil.rmtree(home / "merged-by-mergekit", ignore_errors=True)
            row["mergekit"] = {"seconds_of_part": seconds, "part": share, "seconds_scaled": seconds / share, "peak_bytes": memory}
            row["times_mergekit"] = row["mergekit"]["seconds_scaled"] / row["plain"]["seconds"]
        held = row["of_cp"] >= 0.5 and row["plain"]["peak_bytes"] < 1 << 30 and row.get("times_mergekit", 9) >= 5
        failed |= not held
        out["rows"].append(row)
        plain = row["plain"]
        print(f"{method:7} {plain['seconds']:6.2f} s, {plain['bytes_per_second'] / 1e9:5.2f} GB/s = {row['of_cp']:.2f} of cp, peak {plain['peak_bytes'] / 2**20:.0f} MiB; with digests "
              f"{row['with_digests']['seconds']:.2f} s"
              + (f"; mergekit {row['mergekit']['seconds_scaled']:.1f} s (scaled from {row['mergekit']['part']:.0%} of the bytes: {row['mergekit']['seconds_of_part']:.1f} s), peak "
                 f"{row['mergekit']['peak_bytes'] / 2**20:.0f} MiB: {row['times_mergekit']:.1f} times" if "mergekit" in row else "") + ("" if held else "  NOT AS PROMISED"), flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(out, indent=1))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

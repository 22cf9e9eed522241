# SPDX-License-Identifier: Apache-2.0
"""hanse forge from outside: inspect, diff, merge, convert, quantise on models made here, and llama.cpp's own quantiser as a second opinion."""
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile

BIN = os.environ["HANSE_BIN"]
LAYERS, WIDTH, FEED, HEADS, KV, WORDS = 4, 256, 512, 8, 4, 320


def hanse(*arguments, code=0):
    done = subprocess.run([BIN, "forge", *map(str, arguments), "--json"], capture_output=True, text=True, timeout=120)
    assert code is None or done.returncode == code, (arguments, done.returncode, done.stdout[-800:], done.stderr[-800:])
    return json.loads(done.stdout)


def shapes():
    yield "model.embed_tokens.weight", (WORDS, WIDTH)
    for i in range(LAYERS):
        p = f"model.layers.{i}."
        for name, shape in (("input_layernorm", (WIDTH,)), ("post_attention_layernorm", (WIDTH,)), ("self_attn.q_proj", (WIDTH, WIDTH)),
                            ("self_attn.k_proj", (WIDTH * KV // HEADS, WIDTH)), ("self_attn.v_proj", (WIDTH * KV // HEADS, WIDTH)), ("self_attn.o_proj", (WIDTH, WIDTH)),
                            ("mlp.gate_proj", (FEED, WIDTH)), ("mlp.up_proj", (FEED, WIDTH)), ("mlp.down_proj", (WIDTH, FEED))):
            yield p + name + ".weight", shape
    yield "model.norm.weight", (WIDTH,)
    yield "lm_head.weight", (WORDS, WIDTH)


def make_model(folder, seed, word="w"):
    folder.mkdir()
    draw = random.Random(seed)
    head, data = {"__metadata__": {"format": "pt"}}, bytearray()
    for name, shape in shapes():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        # bfloat16 of either sign between 2^-7 and 2^-5: the upper byte is fixed but for the sign
        piece = bytearray(draw.randbytes(2 * count))
        piece[1::2] = piece[1::2].translate(bytes(0x3C | (b & 0x80) for b in range(256)))
        head[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [len(data), len(data) + len(piece)]}
        data += piece
    text = json.dumps(head).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": WIDTH, "intermediate_size": FEED, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": KV, "vocab_size": WORDS, "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": False,
        "torch_dtype": "bfloat16", "bos_token_id": 0, "eos_token_id": 1}, indent=2))
    alphabet = [chr(c) for c in range(256, 512)]
    vocabulary = {t: i for i, t in enumerate(["<s>", "</s>"] + alphabet + [f"{word}{i}" for i in range(60)])}
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "added_tokens": [{"id": 0, "content": "<s>", "special": True}, {"id": 1, "content": "</s>", "special": True}],
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}]},
        "model": {"type": "BPE", "vocab": vocabulary, "merges": [["Ā", "ā"], ["Ă", "ă"]]}}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": False, "chat_template": "{{ messages }}"}))


def linear(a, b, more=""):
    return f"models:\n- model: {a}\n  parameters:\n    weight: 0.5\n- model: {b}\n  parameters:\n    weight: 0.5\nmerge_method: linear\ndtype: bfloat16\n{more}"


def inspects_and_compares(home):
    seen = hanse("inspect", home / "a")
    assert seen["format"] == "safetensors" and len(seen["tensors"]) == 3 + 9 * LAYERS, seen["format"]
    assert hanse("diff", home / "a", home / "a")["equal"]
    assert hanse("diff", home / "a", home / "b", code=1)["differing"] == 3 + 9 * LAYERS
    (home / "cut.safetensors").write_bytes((home / "a/model.safetensors").read_bytes()[:-2])
    assert "incomplete" in hanse("inspect", home / "cut.safetensors", code=1)["error"]["message"]


def merges_with_a_record(home):
    recipe = home / "linear.yml"
    recipe.write_text(linear(home / "a", home / "a"))
    assert hanse("merge", recipe, "--output", home / "same", "--dry-run")["tensors"] == 3 + 9 * LAYERS
    assert not (home / "same").exists()
    hanse("merge", recipe, "--output", home / "same")
    found = hanse("diff", home / "a", home / "same", code=1)
    assert found["differing"] == 0 and "hanse.forge.parents" in found["metadata"], found
    statement = json.loads(json.loads((home / "same/hanse-forge.json").read_text())["statement"])
    assert len(statement["parents"][0]["files"][0]["sha256"]) == 64 and len(statement["outputs"]) == 1, statement
    assert (home / "same/tokenizer.json").exists() and not list(home.glob("same/*.part")) and not list(home.glob("same/*.progress"))
    recipe.write_text("slices:\n- sources:\n  - model: %s\n    layer_range: [0, 3]\n- sources:\n  - model: %s\n    layer_range: [1, 4]\nmerge_method: passthrough\n" % (home / "a", home / "b"))
    hanse("merge", recipe, "--output", home / "stacked", "--no-digests")
    assert json.loads((home / "stacked/config.json").read_text())["num_hidden_layers"] == 6


def refuses_what_does_not_fit(home):
    recipe = home / "wrong.yml"
    recipe.write_text(linear(home / "a", home / "other"))
    assert "different vocabularies" in hanse("merge", recipe, "--output", home / "x", code=2)["error"]["message"]
    recipe.write_text(linear(home / "a", home / "b").replace("linear", "liner"))
    assert "is not known" in hanse("merge", recipe, "--output", home / "x", code=2)["error"]["message"]
    recipe.write_text(linear(home / "a", home / "b").replace("weight", "wight"))
    assert "no weight" in hanse("merge", recipe, "--output", home / "x", code=2)["error"]["message"]
    assert not (home / "x").exists()


def puts_vocabularies_together(home):
    recipe = home / "union.yml"
    recipe.write_text(linear(home / "a", home / "other", "tokenizer_source: union\n"))
    hanse("merge", recipe, "--output", home / "union", "--no-digests")
    tokens = json.loads((home / "union/tokenizer.json").read_text())["model"]["vocab"]
    assert tokens["w3"] == 261 and len(tokens) == 258 + 120 and sorted(tokens.values()) == list(range(378)), len(tokens)
    shape = {t["name"]: t["shape"] for t in hanse("inspect", home / "union")["tensors"]}["model.embed_tokens.weight"]
    assert shape == [378, WIDTH] and json.loads((home / "union/config.json").read_text())["vocab_size"] == 378


def converts_there_and_back(home):
    hanse("convert", home / "a", "--output", home / "a.gguf")
    metadata = hanse("inspect", home / "a.gguf")["metadata"]
    assert metadata["general.architecture"] == "llama" and metadata["tokenizer.ggml.pre"] == "smollm" and metadata["llama.attention.head_count_kv"] == str(KV), metadata
    hanse("convert", home / "a.gguf", "--output", home / "back", "--type", "bf16")
    assert hanse("diff", home / "a", home / "back")["differing"] == 0
    vocabulary = json.loads((home / "back/tokenizer.json").read_text())["model"]["vocab"]
    assert vocabulary["w3"] == 261
    recipe = home / "gguf.yml"
    recipe.write_text(linear(home / "a.gguf", home / "a.gguf"))
    hanse("merge", recipe, "--output", home / "merged.gguf")
    assert hanse("diff", home / "a.gguf", home / "merged.gguf", code=1)["differing"] == 0


def quantises_as_llama_cpp_does(home):
    peer = shutil.which("llama-quantize")
    hanse("convert", home / "a", "--output", home / "f32.gguf", "--type", "f32")
    for mix in ("Q8_0", "Q4_0", "Q4_K_M", "Q5_K_M", "Q6_K", "Q3_K_M", "Q2_K", "Q4_K_S"):
        hanse("quantise", home / "f32.gguf", "--type", mix, "--output", home / "mine.gguf")
        if peer is None:
            continue
        done = subprocess.run([peer, home / "f32.gguf", home / "theirs.gguf", mix, "1"], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-400:]
        found = hanse("diff", home / "theirs.gguf", home / "mine.gguf", code=None)
        assert found["differing"] == 0, (mix, found["differences"][:3])
    recipe = home / "quantised.yml"
    recipe.write_text(f"models:\n- model: {home / 'mine.gguf'}\nmerge_method: passthrough\n")
    assert hanse("merge", recipe, "--output", home / "copied.gguf")["copied_tensors"] == 3 + 9 * LAYERS
    assert hanse("diff", home / "mine.gguf", home / "copied.gguf", code=1)["differing"] == 0


def main():
    with tempfile.TemporaryDirectory(prefix="hanse-forge-") as folder:
        home = pathlib.Path(folder)
        make_model(home / "a", 1)
        make_model(home / "b", 2)
        make_model(home / "other", 3, word="other")
        for check in (inspects_and_compares, merges_with_a_record, refuses_what_does_not_fit, puts_vocabularies_together, converts_there_and_back, quantises_as_llama_cpp_does):
            check(home)
            print("ok", check.__name__)


if __name__ == "__main__":
    sys.exit(main())

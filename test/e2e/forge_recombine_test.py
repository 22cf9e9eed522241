# SPDX-License-Identifier: Apache-2.0
"""hanse forge as owners use it: statistics at home, a mixture, leaving it again, adapters, measurements. No node runs here."""

import array
import json
import random
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

from hanse_node import main, run_hanse

WIDTH, HEADS, FF, LAYERS, VOCABULARY = 32, 2, 64, 2, 259
TEXT = "Wer einen Antrag stellt, hat die Unterlagen vorzulegen. " * 20


def gguf_text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key: str, value) -> bytes:
    head = gguf_text(key)
    if isinstance(value, str):
        return head + struct.pack("<I", 8) + gguf_text(value)
    if isinstance(value, float):
        return head + struct.pack("<If", 6, value)
    if isinstance(value, int):
        return head + struct.pack("<II", 4, value)
    if isinstance(value[0], str):
        return head + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(gguf_text(one) for one in value)
    kind, code = (6, "f") if isinstance(value[0], float) else (5, "i")
    return head + struct.pack("<IIQ", 9, kind, len(value)) + struct.pack(f"<{len(value)}{code}", *value)


def write_model(path: Path, blocks_seed: int, touched: bool = False):
    """A model with random weights and a vocabulary of bytes; `blocks_seed` changes the feed-forward blocks alone."""
    trunk, blocks = random.Random(1), random.Random(blocks_seed)
    tensors = []

    def add(name, shape, source, mean=0.0):
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        tensors.append((name, shape, array.array("f", (mean + source.uniform(-0.3, 0.3) for _ in range(count))).tobytes()))

    add("token_embd.weight", (WIDTH, VOCABULARY), trunk)
    add("output_norm.weight", (WIDTH,), trunk, 1.0)
    add("output.weight", (WIDTH, VOCABULARY), trunk)
    for i in range(LAYERS):
        add(f"blk.{i}.attn_norm.weight", (WIDTH,), trunk, 1.0)
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"blk.{i}.{part}.weight", (WIDTH, WIDTH), trunk)
        add(f"blk.{i}.ffn_norm.weight", (WIDTH,), trunk, 1.5 if touched else 1.0)
        add(f"blk.{i}.ffn_gate.weight", (WIDTH, FF), blocks)
        add(f"blk.{i}.ffn_up.weight", (WIDTH, FF), blocks)
        add(f"blk.{i}.ffn_down.weight", (FF, WIDTH), blocks)
    metadata = {
        "general.architecture": "llama", "general.name": "tiny", "llama.context_length": 256, "llama.embedding_length": WIDTH,
        "llama.block_count": LAYERS, "llama.feed_forward_length": FF, "llama.rope.dimension_count": WIDTH // HEADS,
        "llama.attention.head_count": HEADS, "llama.attention.head_count_kv": HEADS, "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.vocab_size": VOCABULARY, "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)],
        "tokenizer.ggml.scores": [0.0] * VOCABULARY, "tokenizer.ggml.token_type": [2, 3, 3] + [6] * 256,
        "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2,
    }
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)) + b"".join(entry(*one) for one in metadata.items())
    offset = 0
    for name, shape, data in tensors:
        head += gguf_text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", 0, offset)
        offset += (len(data) + 31) // 32 * 32
    body = head + b"\0" * (-len(head) % 32)
    for _, _, data in tensors:
        body += data + b"\0" * (-len(data) % 32)
    path.write_bytes(body)


class Forge(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="hanse-e2e-")))
        for seed, name in enumerate(("public", "law", "code"), 10):
            write_model(self.folder / f"{name}.gguf", seed)
        (self.folder / "text.txt").write_text(TEXT, encoding="utf-8")
        (self.folder / "code.txt").write_text("def total(items):\n    return sum(item.price for item in items)\n" * 20, encoding="utf-8")

    def hanse(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess:
        done = run_hanse("forge", *(str(self.folder / one) if "." in one and "=" not in one else one for one in arguments),
                         environment={"HANSE_DATA": str(self.folder), "LANG": "C"})
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        return done

    def statistics(self):
        for name in ("public", "law", "code"):
            self.hanse("statistics", f"{name}.gguf", "text.txt", "--expert", name, "-o", f"{name}.safetensors", "--window", "64", "--tokens", "640")

    def recombine(self, names: list[str], out: str, router: str):
        given = []
        for name in names:
            given += ["--expert", f"{name}={self.folder / name}.gguf", "--terms", f"{name}:owner={name} eG"]
        for name in ["public", *names] if router in ("ridge", "means") else []:
            given += ["--statistics", f"{name}.safetensors"]
        self.hanse("recombine", "public.gguf", *given, "--router", router, "--used", "2", "-o", out)

    def bytes_of(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def test_a_mixture_that_an_owner_left_is_the_one_it_never_joined(self):
        self.statistics()
        for router in ("ridge", "means"):
            with self.subTest(router):
                self.recombine(["law", "code"], "all.gguf", router)
                self.recombine(["code"], "never.gguf", router)
                statistics = ["--statistics", "public.safetensors", "--statistics", "code.safetensors"]
                self.hanse("withdraw", "all.gguf", "--expert", "law", *statistics, "-o", "left.gguf")
                self.assertEqual(self.bytes_of("left.gguf"), self.bytes_of("never.gguf"))
        told = json.loads(self.hanse("experts", "all.gguf", "--json").stdout)
        self.assertEqual([one["name"] for one in told["experts"]], ["public", "law", "code"])
        self.assertEqual(told["experts"][1]["owner"], "law eG")

    def test_the_last_owner_leaves_the_public_models_scores_behind(self):
        self.recombine(["law"], "one.gguf", "random")
        self.hanse("withdraw", "one.gguf", "--expert", "law", "-o", "left.gguf")
        score = {name: json.loads(self.hanse("score", name, "text.txt", "--json", "--window", "64").stdout)[0]["nats"] for name in ("public.gguf", "left.gguf", "one.gguf")}
        self.assertEqual(score["left.gguf"], score["public.gguf"])
        self.assertNotEqual(score["one.gguf"], score["public.gguf"])

    def test_leaving_an_expert_out_of_a_measurement_is_as_if_it_had_left(self):
        self.recombine(["law", "code"], "all.gguf", "random")
        self.hanse("withdraw", "all.gguf", "--expert", "law", "-o", "left.gguf")
        masked = json.loads(self.hanse("score", "all.gguf", "text.txt", "--without", "law", "--json").stdout)[0]
        left = json.loads(self.hanse("score", "left.gguf", "text.txt", "--json").stdout)[0]
        self.assertAlmostEqual(masked["nats"], left["nats"], places=4)
        probe = json.loads(self.hanse("probe", "all.gguf", "text.txt", "--without", "law", "--probes", "5", "--json").stdout)
        self.assertEqual(probe["probes"], 5)

    def test_what_does_not_fit_is_refused_with_a_reason(self):
        write_model(self.folder / "touched.gguf", 12, touched=True)
        refused = self.hanse("recombine", "public.gguf", "--expert", f"law={self.folder}/touched.gguf", "--router", "random", "-o", "all.gguf", code=2)
        self.assertIn("blk.0.ffn_norm.weight", refused.stderr)
        self.assertFalse((self.folder / "all.gguf").exists())
        self.recombine(["law"], "one.gguf", "random")
        self.hanse("withdraw", "one.gguf", "--expert", "nobody", "-o", "left.gguf", code=5)
        self.hanse("withdraw", "one.gguf", "--expert", "public", "-o", "left.gguf", code=2)

    def test_an_adapter_is_extracted_stacked_merged_and_taken_out(self):
        for name in ("law", "code"):
            self.hanse("lora", "extract", "public.gguf", f"{name}.gguf", "--rank", "32", "-o", f"{name}.lora.gguf")
        self.hanse("lora", "merge", "public.gguf", "--adapter", "law.lora.gguf", "-o", "merged.gguf")
        scores = [json.loads(self.hanse("score", name, "text.txt", "--json", *more).stdout)[0]["nats"]
                  for name, more in (("law.gguf", ()), ("merged.gguf", ()), ("public.gguf", ("--adapter", "law.lora.gguf")))]
        self.assertAlmostEqual(scores[0], scores[1], places=3)
        self.assertAlmostEqual(scores[0], scores[2], places=3)
        parts = [one for name in ("law", "code") for one in ("--adapter", f"{name}={self.folder}/{name}.lora.gguf=0.5")]
        self.hanse("lora", "stack", *parts, "-o", "stack.gguf")
        self.hanse("lora", "stack", *parts[2:], "-o", "alone.gguf")
        self.hanse("lora", "unstack", "stack.gguf", "--expert", "law", "-o", "rest.gguf")
        self.assertEqual(self.bytes_of("rest.gguf"), self.bytes_of("alone.gguf"))

    def test_the_search_does_not_end_worse_than_it_began(self):
        self.hanse("lora", "extract", "public.gguf", "law.gguf", "--rank", "4", "-o", "law.lora.gguf")
        found = json.loads(self.hanse("score", "public.gguf", "text.txt", "--search", "--adapter", "law.lora.gguf", "--tokens", "128", "--json").stdout)
        self.assertLessEqual(found["nats"], found["start_nats"])
        self.assertGreater(found["evaluations"], 2)

    def test_weights_of_a_merge_are_found_and_written_as_its_recipe(self):
        found = json.loads(self.hanse("score", "public.gguf", "text.txt", "--search", "--merge", str(self.folder / "law.gguf"), "--merge", str(self.folder / "code.gguf"),
                                      "--tokens", "128", "--window", "64", "-o", "found.yml", "--json").stdout)
        self.assertLessEqual(found["nats"], found["start_nats"])
        self.assertEqual(len(found["models"]), 2)
        self.hanse("merge", "found.yml", "--output", "best.gguf")
        score = json.loads(self.hanse("score", "best.gguf", "text.txt", "--tokens", "128", "--window", "64", "--json").stdout)[0]
        self.assertAlmostEqual(score["nats"], found["nats"], places=5)
        self.hanse("score", "public.gguf", "text.txt", "--search", code=2)

    def test_a_table_of_owners_finds_whose_a_request_is(self):
        self.hanse("ngrams", "join", "owners.ngrams", "text.txt", "--expert", "law")
        before = self.bytes_of("owners.ngrams")
        self.hanse("ngrams", "join", "owners.ngrams", "code.txt", "--expert", "code")
        (self.folder / "question.txt").write_text("Welche Unterlagen hat der Antragsteller vorzulegen?", encoding="utf-8")
        told = json.loads(self.hanse("ngrams", "score", "owners.ngrams", "question.txt", "--json").stdout)
        self.assertEqual(told[0]["owner"], "law")
        self.hanse("ngrams", "leave", "owners.ngrams", "--expert", "code")
        self.assertEqual(self.bytes_of("owners.ngrams"), before)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""hanse forge sum as owners use it: each at home, a folder that all see, one that drops out; and the router and the adapter made of the sum."""

import array
import json
import shutil
import struct
import tempfile
import unittest
from pathlib import Path

from forge_recombine_test import TEXT, write_model
from hanse_node import main, run_hanse

MEMBERS = ["public", "law", "code"]
RANK = 4


def write_safetensors(path: Path, tensors: dict[str, tuple[list[int], list[float]]]) -> None:
    head, data = {}, b""
    for name, (shape, values) in sorted(tensors.items()):
        raw = array.array("f", values).tobytes()
        head[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path: Path) -> dict[str, list[float]]:
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    out = {}
    for name, one in json.loads(raw[8:8 + size]).items():
        if name != "__metadata__":
            begin, end = one["data_offsets"]
            out[name] = list(array.array("f", raw[8 + size + begin:8 + size + end]))
    return out


class Sum(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="hanse-e2e-")))
        for i, one in enumerate(MEMBERS):
            (self.folder / one).mkdir()
        for i, one in enumerate(MEMBERS):
            for other in MEMBERS[i + 1:]:
                self.hanse("sum", "pair", str(self.folder / one / f"{other}.pair"))
                shutil.copy(self.folder / one / f"{other}.pair", self.folder / other / f"{one}.pair")

    def hanse(self, *arguments: str, code: int = 0):
        done = run_hanse("forge", *arguments, environment={"HANSE_DATA": str(self.folder), "LANG": "C"})
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        return done

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def step(self, action: str, member: str, *more: str, code: int = 0):
        return self.hanse("sum", action, self.path("round"), "--member", member, "--home", self.path(member), *more, code=code)

    def begin(self):
        self.hanse("sum", "begin", self.path("round"), *(x for one in MEMBERS for x in ("--member", one)), "--name", "a test", "--threshold", "2")
        for member in MEMBERS:
            self.step("share", member)

    def test_a_router_from_masked_statistics_is_the_one_from_open_ones(self):
        (self.folder / "text.txt").write_text(TEXT, encoding="utf-8")
        for seed, name in enumerate(MEMBERS, 10):
            write_model(self.folder / f"{name}.gguf", seed)
            self.hanse("statistics", self.path(f"{name}.gguf"), self.path("text.txt"), "--expert", name, "-o", self.path(f"{name}.safetensors"), "--window", "64", "--tokens", "640")
        self.begin()
        for member in MEMBERS:
            self.step("mask", member, "--statistics", self.path(f"{member}.safetensors"))
        self.hanse("sum", "close", self.path("round"))
        self.step("reveal", "law")
        self.hanse("sum", "finish", self.path("round"), "-o", self.path("total.safetensors"), code=2)
        self.step("reveal", "code")  # public has gone after sending: two of three are enough
        self.hanse("sum", "finish", self.path("round"), "-o", self.path("total.safetensors"))
        experts = [x for one in MEMBERS[1:] for x in ("--expert", f"{one}={self.path(one)}.gguf")]
        self.hanse("recombine", self.path("public.gguf"), *experts, *(x for one in MEMBERS for x in ("--statistics", self.path(f"{one}.safetensors"))), "-o", self.path("open.gguf"))
        summed = [x for one in MEMBERS for x in ("--statistics", self.path(f"round/{one}.open.safetensors"))] + ["--statistics", self.path("total.safetensors")]
        self.hanse("recombine", self.path("public.gguf"), *experts, *summed, "-o", self.path("summed.gguf"))
        self.assertEqual((self.folder / "summed.gguf").read_bytes(), (self.folder / "open.gguf").read_bytes())
        # What is in the sum already is not counted twice.
        twice = [self.path("law.safetensors") if one == self.path("round/law.open.safetensors") else one for one in summed]
        self.hanse("recombine", self.path("public.gguf"), *experts, *twice, "-o", self.path("twice.gguf"), code=2)

    def test_small_matrices_are_averaged_though_one_member_never_sends(self):
        write_model(self.folder / "base.gguf", 10)
        write_model(self.folder / "tuned.gguf", 11)
        self.hanse("lora", "extract", self.path("base.gguf"), self.path("tuned.gguf"), "--rank", str(RANK), "-o", self.path("shared.gguf"))
        names = [f"blk.{i}.ffn_{part}.weight" for i in range(2) for part in ("down", "gate", "up")]
        cores = {member: {name: [((i * 7 + k * 3 + j) % 11 - 5) / 8 for j in range(RANK * RANK)] for k, name in enumerate(names)} for i, member in enumerate(MEMBERS)}
        self.begin()
        for member in ("law", "code"):
            write_safetensors(self.folder / f"{member}.core.safetensors", {name: ([RANK, RANK], values) for name, values in cores[member].items()})
            self.step("mask", member, "--core", self.path(f"{member}.core.safetensors"))
        self.hanse("sum", "close", self.path("round"))
        for member in ("law", "code"):
            self.step("reveal", member)
        told = self.hanse("sum", "finish", self.path("round"), "-o", self.path("mean.safetensors")).stdout
        self.assertIn("law, code", told)
        mean = read_safetensors(self.folder / "mean.safetensors")
        self.assertEqual(mean, {name: [(a + b) / 2 for a, b in zip(cores["law"][name], cores["code"][name])] for name in names})
        self.hanse("lora", "core", self.path("shared.gguf"), self.path("mean.safetensors"), "-o", self.path("adapter.gguf"))
        self.hanse("lora", "merge", self.path("base.gguf"), "--adapter", self.path("adapter.gguf"), "-o", self.path("merged.gguf"))

    def test_what_would_uncover_a_member_is_refused(self):
        self.begin()
        write_safetensors(self.folder / "one.safetensors", {"x": ([2, 2], [1.0, 2.0, 3.0, 4.0])})
        write_safetensors(self.folder / "two.safetensors", {"x": ([2, 2], [1.0, 2.0, 3.0, 5.0])})
        self.step("mask", "law", "--core", self.path("one.safetensors"))
        self.assertIn("uncover", self.step("mask", "law", "--core", self.path("two.safetensors"), code=3).stderr)
        self.assertIn("1 members have sent, 2 are needed", self.hanse("sum", "close", self.path("round"), code=2).stderr)
        raw = (self.folder / "round" / "law.masked.safetensors").read_bytes()
        self.assertNotIn(struct.pack("<q", 1 << 32), raw, "1.0 as it is masked cannot be seen")


if __name__ == "__main__":
    main()

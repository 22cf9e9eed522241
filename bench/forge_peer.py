# SPDX-License-Identifier: Apache-2.0
"""The environment of what `hanse forge` is measured against: mergekit, PyTorch, transformers, in $HANSE_CACHE/peers/forge.

enter() starts the calling script again inside it, making it at the first call. Nothing of it is needed to build or run Hanse.
"""
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(os.environ.get("HANSE_CACHE") or pathlib.Path.home() / ".cache/hanse") / "peers" / "forge"
PACKAGES = ["torch", "transformers", "sentencepiece", "protobuf", "tiktoken", "safetensors", "numpy", "tqdm", "click<9", "accelerate", "pydantic<3", "peft", "scipy", "datasets"]


def pip(*arguments):
    subprocess.run([sys.executable, "-m", "pip", "--python", str(HERE / "bin/python"), *arguments], check=True, stdout=sys.stderr)


def make():
    print(f"making {HERE} (PyTorch, transformers, mergekit: about 6 GB, some minutes)", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(HERE)], check=True)
    pip("install", "-q", "--no-compile", *PACKAGES)
    pip("install", "-q", "--no-compile", "--no-deps", "mergekit")
    # One dependency has no built package for new Pythons; its own fallback in plain Python does.
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", folder, "immutables"], check=True, stdout=sys.stderr)
        archive = next(pathlib.Path(folder).glob("immutables*.tar.gz"))
        site = next(HERE.glob("lib/python3*/site-packages"))
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                parts = pathlib.PurePosixPath(member.name).parts
                if len(parts) > 2 and parts[1] == "immutables" and member.isfile():
                    member.name = str(pathlib.PurePosixPath(*parts[1:]))
                    tar.extract(member, site, filter="data")
    (HERE / "whole").touch()


def enter():
    if pathlib.Path(sys.prefix) == HERE:
        return
    if not (HERE / "whole").exists():
        make()
    os.environ["PYTHONPATH"] = str(pathlib.Path(__file__).resolve().parent)
    os.execv(HERE / "bin/python", [str(HERE / "bin/python"), *sys.argv])

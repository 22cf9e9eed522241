# SPDX-License-Identifier: Apache-2.0
"""Converted models beside their originals: logits of small random models in transformers and, after `hanse forge convert`, in llama.cpp.

  script/bench convert_parity [--json FILE]

One model for each kind of tokenizer and architecture of the family: SentencePiece with tokenizer.model, SentencePiece as tokenizer.json, byte-level
BPE with the pre-tokenizers of SmolLM2, Llama 3 and Tekken; tied and untied embeddings, grouped heads, llama3's rotary scaling, Apertus. The tokens
must be the same, the largest difference of a logit is printed. Then back: the folder made of the GGUF file gives the same logits in transformers.
PyTorch and transformers run in an environment of their own, as for mergekit_parity. Exit code 1 over 1e-3.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import forge_peer

TEXT = ("Die Hanse war ein Bund von Kaufleuten und Städten.\nIn 1358 they met in Lübeck for the first time; 42 towns came, by 1400 it were 77!\n"
        "  Où est le port ? L'île, c'est là-bas...\tfin\n")
LIMIT = 1e-3


def corpus():
    words = ("Hansa Lübeck Hamburg Bremen Danzig Riga Visby ships salt herring cloth merchants towns league Kaufleute Städte Bund Hafen Kogge Getreide "
             "the a and of in is was they met for first time where is it's don't we'll île là-bas côté 12 345 2024 1358").split()
    return [" ".join(words[(i * 7 + j * 3) % len(words)] for j in range(12)) + "." for i in range(400)] + [TEXT]


def train_sentencepiece(folder):
    import io
    import sentencepiece
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(corpus()), model_writer=model, vocab_size=512, model_type="bpe", byte_fallback=True,
                                             character_coverage=1.0, normalization_rule_name="identity", remove_extra_whitespaces=False, minloglevel=2,
                                             hard_vocab_limit=False)
    (folder / "tokenizer.model").write_bytes(model.getvalue())
    settings = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "add_bos_token": True, "add_eos_token": False,
                "legacy": False, "chat_template": "{% for m in messages %}{{ m['content'] }}{% endfor %}"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def train_byte_level(folder, pre):
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    import re
    tokenizer = Tokenizer(models.BPE())
    level = lambda use: pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use)
    if pre == "smollm":
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), level(True)])
    else:
        source = (pathlib.Path(__file__).resolve().parent.parent / "src/forge/pre_tokenizer.cpp").read_text()
        expression = re.search(r'\{"' + pre + r'",\s*R"\((.*)\)"\}', source).group(1)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(expression), "isolated"), level(False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(corpus(), trainers.BpeTrainer(vocab_size=500, special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
                                                                initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|endoftext|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>", "add_bos_token": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def make(folder, kind, tokenizer, **settings):
    import torch
    import transformers
    folder.mkdir()
    common = dict(vocab_size=520, hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=8, num_key_value_heads=2, max_position_embeddings=256, bos_token_id=1, eos_token_id=2)
    config = getattr(transformers, kind + "Config")(**{**common, **settings})
    torch.manual_seed(7)
    model = getattr(transformers, kind + "ForCausalLM")(config).float().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.mul_(4)  # wide enough that a wrong row shows
            elif "norm" in name:
                parameter.copy_(1 + 0.2 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    tokenizer(folder)
    return model


def slow_tokens(folder, tokenizer):
    """The tokens that the originals' own library gives, not transformers' rendering of it."""
    if (folder / "tokenizer.model").exists():
        import sentencepiece
        return [1] + sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model")).encode(TEXT)
    from tokenizers import Tokenizer
    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(TEXT, add_special_tokens=False).ids
    return [1] + ids if tokenizer == "sentencepiece_json" else ids


def sentencepiece_json(folder):
    """The tokenizer.json that transformers makes of a tokenizer.model, alone."""
    import transformers
    train_sentencepiece(folder)
    transformers.LlamaTokenizerFast.from_pretrained(folder).save_pretrained(folder)
    (folder / "tokenizer.model").unlink()


def cases():
    byte_level = lambda pre: lambda folder: train_byte_level(folder, pre)
    yield "llama, tokenizer.model", "Llama", train_sentencepiece, {}, ""
    yield "llama, SentencePiece in tokenizer.json", "Llama", sentencepiece_json, {}, "sentencepiece_json"
    yield "mistral, tokenizer.model, tied", "Mistral", train_sentencepiece, {"tie_word_embeddings": True}, ""
    yield "smollm2, byte-level BPE, tied", "Llama", byte_level("smollm"), {"tie_word_embeddings": True, "rope_theta": 100000.0}, ""
    yield "llama 3, byte-level BPE, rope llama3", "Llama", byte_level("llama-bpe"), {
        "rope_parameters": {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}}, ""
    yield "llama, linear rope scaling", "Llama", train_sentencepiece, {"rope_parameters": {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0}}, ""
    yield "apertus, tekken", "Apertus", byte_level("tekken"), {"hidden_act": "xielu", "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0}}, ""


def logits(program, gguf, folder):
    import numpy
    out = folder / "logits.bin"
    done = subprocess.run([program, str(gguf), str(out)], input=TEXT.encode(), capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode(errors="replace")[-400:])
    tokens = [int(x) for x in done.stdout.split()]
    return tokens, numpy.fromfile(out, dtype=numpy.float32).reshape(len(tokens), -1)


def hanse(*arguments):
    done = subprocess.run([os.environ["HANSE_BIN"], "forge", *map(str, arguments), "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    forge_peer.enter()
    import logging
    import warnings
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    import numpy
    import torch
    import transformers
    transformers.utils.logging.disable_progress_bar()
    program = str(pathlib.Path(os.environ["HANSE_BIN"]).parent / "llama_logits")
    rows, broken = [], 0
    with tempfile.TemporaryDirectory(prefix="hanse-convert-") as scratch:
        for number, (name, kind, tokenizer, settings, how) in enumerate(cases()):
            folder = pathlib.Path(scratch) / f"model-{number}"
            row = {"model": name}
            try:
                model = make(folder, kind, tokenizer, **settings)
                gguf = pathlib.Path(scratch) / f"model-{number}.gguf"
                hanse("convert", folder, "--output", gguf)
                tokens, mine = logits(program, gguf, pathlib.Path(scratch))
                theirs = slow_tokens(folder, how)
                with torch.no_grad():
                    reference = model(torch.tensor([tokens])).logits[0].numpy()
                row |= {"tokens": len(tokens), "same_tokens": tokens == theirs, "largest": float(numpy.abs(mine - reference).max()), "range": float(numpy.abs(reference).max())}
                if "llama3" not in str(settings):
                    back = pathlib.Path(scratch) / f"back-{number}"
                    hanse("convert", gguf, "--output", back)
                    again = getattr(transformers, kind + "ForCausalLM").from_pretrained(back, dtype=torch.float32).eval()
                    with torch.no_grad():
                        row["back"] = float(numpy.abs(again(torch.tensor([tokens])).logits[0].numpy() - reference).max())
                held = row["same_tokens"] and row["largest"] < LIMIT and row.get("back", 0) < 1e-5
            except Exception as error:
                row["error"] = f"{type(error).__name__}: {error}"[:400]
                held = False
            row["held"] = held
            broken += not held
            rows.append(row)
            print(f"{name:42} " + (row.get("error") or f"{row['tokens']:4} tokens {'same' if row['same_tokens'] else 'OTHER'}, logits to {row['range']:.2f}, largest difference "
                                  f"{row['largest']:.2e}" + (f", back {row['back']:.1e}" if "back" in row else "")) + ("" if held else "  NOT AS PROMISED"), flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"rows": rows, "broken": broken}, indent=1))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

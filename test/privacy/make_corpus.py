#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes test/privacy/corpus/ from test/privacy/templates/: texts with marked spans, as data that anybody can read.

  make_corpus.py            write the corpus anew (from a fixed seed: the same texts each time)
  make_corpus.py --check    exit code 1 if the committed corpus is another

A template is a text with slots: {iban}, {p1} (a person of the directory), {p1.family}, {n1} (a person it does not know);
{a~b~c} chooses one of several wordings. What a slot gives is marked in the corpus as ⟦kind|text⟧; slots that begin with
"!" give what must not be found. A text stands below a line "=== id split genre language".
"""
import random
import re
import sys
from pathlib import Path

import organisation as house
import values

HERE = Path(__file__).resolve().parent
TIMES = {"development": 11, "heldout": 4, "fresh": 4}

SIMPLE = {"iban": ("iban", values.iban), "taxid": ("tax-id", values.tax_id), "taxno": ("tax-number", values.tax_number), "sv": ("social-insurance", values.social_insurance), "kv": ("health-insurance", values.health_insurance),
          "idcard": ("id-card", values.id_card), "passport": ("passport", values.passport), "vat": ("vat-id", values.vat_id), "plate": ("number-plate", values.plate), "card": ("card", values.card), "ip": ("ip", values.ip),
          "address": ("address", values.address), "address.en": ("address", values.english_address), "token": ("credential", values.token), "password": ("credential", values.password),
          "phone": ("phone", values.phone), "phone.en": ("phone", lambda r: values.phone(r, "en")), "birth": ("birth-date", values.date), "birth.en": ("birth-date", lambda r: values.date(r, "en"))}
HARMLESS = {"iban": lambda r: values.iban(r, False), "taxid": lambda r: values.tax_id(r, False), "sv": lambda r: values.social_insurance(r, False), "kv": lambda r: values.health_insurance(r, False), "card": lambda r: values.card(r, False),
            "vat": lambda r: values.vat_id(r, False), "date": lambda r: values.date(r, "de", 2019, 2027), "date.en": lambda r: values.date(r, "en", 2019, 2027), "order": lambda r: r.choice(["2024-", "A-", "", "PO", "B/"]) + values.digits(r, r.choice([6, 8, 10])),
            "long": lambda r: values.digits(r, r.choice([11, 13, 14, 16, 18])), "int": lambda r: str(r.randrange(2, 900)), "amount": lambda r: f"{r.randrange(1, 90)}.{r.randrange(100, 999)},{r.randrange(10, 99)}",
            "amount.en": lambda r: f"{r.randrange(1, 90)},{r.randrange(100, 999)}.{r.randrange(10, 99)}", "version": lambda r: f"{r.randrange(1, 9)}.{r.randrange(0, 20)}.{r.randrange(0, 30)}.{r.randrange(0, 9)}",
            "part": lambda r: r.choice(["DIN A", "M", "ISO ", "EN ", "Typ ", "RJ", "HP "]) + str(r.randrange(2, 900)), "serial": lambda r: "".join(r.choice("ABCDEFGHIJ0123456789") for _ in range(12)),
            "hash": lambda r: "%040x" % r.getrandbits(160), "uuid": lambda r: f"{r.getrandbits(32):08x}-{r.getrandbits(16):04x}-4{r.getrandbits(12):03x}-a{r.getrandbits(12):03x}-{r.getrandbits(48):012x}"}


def mark(kind: str, text: str) -> str:
    return f"⟦{kind}|{text}⟧"


def genitive(family: str) -> str:
    return family + ("" if family[-1] in "sxzß" else "s")


class Filling:
    """The people of one text: p1 is the same person wherever the text says so."""

    def __init__(self, r: random.Random, language: str):
        self.r, self.people = r, r.sample(house.PEOPLE, 6)
        pool = house.STRANGERS if language == "de" else house.ENGLISH_STRANGERS
        self.strangers = r.sample(pool, 4)
        self.firms, self.projects = r.sample(house.FIRMS, 3), r.sample(house.PROJECTS, 3)

    def person(self, kind, given, family, initials, form):
        first = given[0] + "."
        shown = {"": f"{given} {family}", "family": family, "gen": genitive(family), "short": f"{first} {family}", "turned": f"{family}, {given}", "given": given, "upper": f"{given} {family}".upper().replace("SS", "SS"),
                 "initials": initials, "ascii": f"{given} {family}".replace("ü", "ue").replace("ö", "oe").replace("ä", "ae").replace("ß", "ss").replace("Ö", "Oe"), "mail": None, "poss": family + "'s",
                 "small": f"{given} {family}".lower(), "smallfamily": family.lower(), "broken": f"{given}\n{family}", "quoted": f"{given}\n> {family}", "cells": f"{family} | {given}", "csv": f"{family};{given}", "half": re.split("[- ]", family)[-1], "dots": ". ".join(initials) + ".",
                 "plain": f"{given} {family}".translate(str.maketrans("üöäÜÖÄøØ", "uoaUOAoO")), "both": f"{first[:-1]}. {re.split('[- ]', family)[0]}" if "-" in family else f"{first} {family}"}[form]
        return mark(kind, shown)

    def mail(self, given, family):
        plain = str.maketrans({"ü": "ue", "ö": "oe", "ä": "ae", "ß": "ss", "Ö": "oe", " ": "", "'": "", "ı": "i", "ś": "s", "ø": "o", "æ": "ae", "é": "e", "ž": "z", "ć": "c"})
        return mark("email", f"{given.lower().translate(plain)}.{family.lower().translate(plain)}@{self.r.choice(['ankerwerft.example.com', 'mail.example.org', 'weserlicht.example.net', 'example.co.uk'])}")

    def slot(self, name: str) -> str:
        r = self.r
        if name.startswith("!"):
            return HARMLESS[name[1:]](r)
        if name in SIMPLE:
            kind, make = SIMPLE[name]
            return mark(kind, make(r))
        if name == "url":
            return mark("secret-url", r.choice([f"https://files.example.org/d/{values.digits(r, 5)}?token={'%016x' % r.getrandbits(64)}", f"postgres://app:{values.password(r).replace('#', 'x').replace('?', 'y')}@db.example.org/main", f"https://example.net/api?x=1&api_key={'%020x' % r.getrandbits(80)}"]))
        head, _, form = name.partition(".")
        index = int(head[1]) - 1
        if head[0] == "p":
            given, family, initials = self.people[index]
            return self.mail(given, family) if form == "mail" else self.person("person", given, family, initials, form)
        if head[0] == "n":
            given, family = self.strangers[index]
            return self.mail(given, family) if form == "mail" else self.person("name", given, family, "", form)
        if head[0] == "f":
            full, aliases = self.firms[index]
            short = re.sub(r"( GmbH & Co\. KG| GmbH| AG| eG| SE| Ltd| Inc)$", "", full)
            return mark("organisation", {"": full, "short": short, "alias": aliases[0] if aliases else short}[form])
        if head[0] == "j":
            return mark("project", self.projects[index][0])
        raise KeyError(name)


def fill(template: str, r: random.Random, language: str) -> str:
    filling = Filling(r, language)
    while True:  # choices first, the innermost first; they may hold slots
        changed = re.sub(r"\{([^{}]*~[^{}]*)\}", lambda m: r.choice(m[1].split("~")), template)
        changed = re.sub(r"\[\[([^\[\]]*)\]\]", lambda m: r.choice(m[1].split("~")), changed)
        if changed == template:
            break
        template = changed
    return re.sub(r"\{([^{}]+)\}", lambda m: filling.slot(m[1]), template)


def corpus() -> dict[str, str]:
    out = {"directory.toml": house.directory_toml()}
    for path in sorted((HERE / "templates").glob("*.txt")):
        texts, r = [], random.Random(f"hanse {path.stem}")
        for number, block in enumerate(re.split(r"^=== ", path.read_text(), flags=re.M)[1:], 1):
            head, _, body = block.partition("\n")
            split, genre, language = head.split()
            body = body.strip("\n")
            seen = set()
            for turn in range(TIMES[split] if "{" in body or "[[" in body else 1):
                text = fill(body, r, language)
                if text not in seen:
                    texts.append(f"=== {path.stem}-{number}-{turn + 1} {split} {genre} {language}\n{text}\n")
                seen.add(text)
        out[path.stem + ".txt"] = "\n".join(texts)
    return out


def main() -> int:
    folder = HERE / "corpus"
    made = corpus()
    if "--check" in sys.argv[1:]:
        return 0 if {p.name: p.read_text() for p in folder.iterdir()} == made else 1
    folder.mkdir(exist_ok=True)
    for name, text in made.items():
        (folder / name).write_text(text)
    print(sum(text.count("\n=== ") + text.startswith("=== ") for text in made.values()), "texts")
    return 0


if __name__ == "__main__":
    sys.exit(main())

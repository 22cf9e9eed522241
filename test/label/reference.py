# SPDX-License-Identifier: Apache-2.0
"""The decision once more, written from docs/labels.md alone: plain, slow, and sharing no line with src/label."""
import calendar
import time

LEARN = ["no", "own-adapter", "federation", "any"]
INTEGRITY = ["outside", "member", "own"]
KEEP = {"none": 0, "session": 1, "contract": 10**9}
TERMS = ["readers", "place", "control", "handling", "content", "purpose", "keep", "learn", "after"]


class World:
    """The words: who belongs to whom, and what lies in what."""

    def __init__(self):
        self.people = {}                    # member: its people
        self.order = []                     # members as the vocabulary has them
        self.inside = {"world": {"world"}}  # place: the places around it, and itself
        self.now = 0

    def add(self, line):
        kind, *words = line.split()
        if kind == "now":
            self.now = int(words[0])
        elif kind == "member":
            self.people[words[0]] = set(words[1:])
            self.order.append(words[0])
        elif kind == "place":
            self.inside[words[0]] = self.inside[words[1]] | {words[0]}
        else:
            raise ValueError(line)

    def readers(self, words):
        """Atoms: each member as a whole, each person, and one for those who join later, one for strangers."""
        members = {m for m in self.people} | set().union(*self.people.values()) | {"(later)"}
        atoms = set()
        for word in words:
            if word == "all":
                atoms |= members | {"(stranger)"}
            elif word == "federation":
                atoms |= members
            elif word in self.people:
                atoms |= {word} | self.people[word]
            elif word != "nobody":
                if word not in members:
                    raise ValueError(word)
                atoms.add(word)
        return frozenset(atoms)

    def lies_inside(self, inner, outer):
        if inner == "nowhere":
            return True
        if outer == "nowhere":
            return False
        return outer in self.inside[inner]


def listed(value):
    return frozenset() if value == "none" else frozenset(value.split("+"))


def fields(text):
    return dict(part.split("=", 1) for part in text.split(" "))


def keep(value):
    return 1 + int(value[5:]) if value.startswith("days:") else KEEP[value]


def valid_until(text):
    if text.count("-") == 2:
        return calendar.timegm(time.strptime(text, "%Y-%m-%d")) + 86400
    return int(text)


class Terms:
    def __init__(self, world, owner, text):
        f = fields(text)
        if sorted(f) != sorted(TERMS):
            raise ValueError(text)

        def own(place):
            return "house:" + owner + place[5:] if place == "house" or place.startswith("house/") else place

        self.owner = owner
        self.readers = world.readers(f["readers"].split("+"))
        self.place, self.control = own(f["place"]), own(f["control"])
        self.handling, self.content, self.after = listed(f["handling"]), listed(f["content"]), listed(f["after"])
        self.any_purpose, self.purpose = f["purpose"] == "all", listed(f["purpose"])
        self.keep, self.learn = keep(f["keep"]), LEARN.index(f["learn"])


class Label:
    def __init__(self, world, text):
        self.top = text == "top"
        self.owners = []
        if self.top:
            return
        *parts, last = text.split("; ")
        self.integrity = INTEGRITY.index(last.removeprefix("integrity="))
        if parts != ["public"]:
            for part in parts:
                owner, terms = part.removeprefix("owner=").split(" ", 1)
                self.owners.append(Terms(world, owner, terms))
        self.owners.sort(key=lambda terms: world.order.index(terms.owner))

    def all_accept(self, transformation):
        return all(transformation in terms.after for terms in self.owners)


class Clearance:
    def __init__(self, world, text):
        f = fields(text)
        self.receivers = world.readers(f["receivers"].split("+")) or world.readers(["all"])
        self.place = "world" if f["place"] == "nowhere" else f["place"]
        self.control = "world" if f["control"] == "nowhere" else f["control"]
        self.releases = set()
        for release in listed(f["releases"]):
            word, _, until = release.partition("@")
            if not until or valid_until(until) > world.now:
                self.releases.add(word)
        self.contents, self.keep = listed(f["contents"]), keep(f["keep"])
        self.learn, self.acts_on = LEARN.index(f["learn"]), INTEGRITY.index(f["acts-on"])


class Use:
    def __init__(self, text):
        self.purpose, learn, effect = text.split(" ")
        self.learn, self.acts = LEARN.index(learn), effect == "acts"


def decide(world, label, place, use):
    if label.top:
        return "deny label"
    cures, reason = set(), None
    if use.acts and label.integrity < place.acts_on:
        if label.all_accept("branch"):
            cures.add("branch")
        else:
            reason = "deny integrity"
    for terms in label.owners:
        against = []
        if place.receivers - terms.readers:
            against.append("readers")
        if not world.lies_inside(place.place, terms.place):
            against.append("place")
        if not world.lies_inside(place.control, terms.control):
            against.append("control")
        if terms.handling - place.releases:
            against.append("handling")
        uncleared = terms.content - place.contents
        if uncleared == {"personal"} and "pseudonymous" in place.contents and "pseudonymise" in terms.after:
            cures.add("pseudonymise")
        elif uncleared:
            against.append("content")
        if not terms.any_purpose and use.purpose not in terms.purpose:
            against.append("purpose")
        if place.keep > terms.keep:
            against.append("retention")
        if max(use.learn, place.learn) > terms.learn:
            against.append("learning")
        if against and reason is None:
            reason = f"deny {terms.owner} {against[0]}"
    if reason is None:
        return "permit after " + "+".join(sorted(cures)) if cures else "permit"
    if label.owners and label.all_accept("drop"):
        return "permit after drop"
    return reason

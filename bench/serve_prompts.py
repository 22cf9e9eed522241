# SPDX-License-Identifier: Apache-2.0
"""What the chats of `script/bench serve` say: the same words for every server and every run.

Lengths are in tokens of SmolLM2's vocabulary; what a run really sent stands in the
`prompt_tokens` that the servers count.
"""

import random

TOKENS_PER_WORD = 1.12  # of text_of() below, measured with llama-server's /tokenize

PLACES = ["a harbour in winter", "the old observatory", "a railway station at night", "a vineyard above the river", "the library of a monastery",
          "an island without roads", "the last bakery in the street", "a lighthouse that moved inland", "the botanical garden", "a mountain hut",
          "the archive under the town hall", "a shipyard after the strike", "a market in the rain", "the clockmaker's attic", "a flooded quarry",
          "the observatory's kitchen", "a village of glassblowers", "the ferry between two countries", "a school with one pupil", "the salt works"]
PEOPLE = ["a cartographer", "two sisters", "a retired engineer", "the youngest judge", "a cellist", "a beekeeper", "the night porter", "a translator",
          "a surveyor", "three apprentices", "a botanist", "the mayor's driver", "a diver", "a bookbinder", "the radio operator", "a baker"]
EVENTS = ["finds a letter that was never sent", "hears a bell where there is no church", "must choose which bridge to repair first",
          "receives a crate of unknown seeds", "learns that the map is wrong on purpose", "is asked to keep a secret for a year",
          "counts the ships and finds one too many", "repairs a machine whose purpose nobody knows", "meets someone who remembers tomorrow",
          "has to teach a stranger to read the weather"]
TRAITS = ["slow and exact", "full of dry humour", "told backwards", "rich in colours", "with short sentences", "with many questions", "like a report",
          "like a letter home"]

SUBJECTS = ["The committee", "Each station", "The northern office", "A second team", "The laboratory", "Our partner", "The harbour authority",
            "The auditor", "Every vessel", "The regional archive", "The new procedure", "This department", "The inspector", "An earlier report"]
VERBS = ["records", "compares", "delivers", "confirms", "describes", "corrects", "collects", "publishes", "repeats", "verifies", "stores", "returns"]
OBJECTS = ["the daily measurements", "all incoming documents", "the list of spare parts", "two independent samples", "the water levels",
           "the names of the witnesses", "a summary of the costs", "the signed protocol", "the temperature of each tank", "the routes of the convoy"]
TAILS = ["before the end of the week", "without further delay", "in the presence of a second officer", "whenever the weather allows it",
         "as the agreement of last spring demands", "and keeps a copy in the cellar", "although nobody asked for it", "for the meeting in Bremen"]


def text_of(tokens: int, seed: str) -> str:
    """About so many tokens of plausible prose; a different seed differs from the first word on."""
    chance = random.Random(seed)
    words: list[str] = []
    while len(words) * TOKENS_PER_WORD < tokens:
        sentence = f"{chance.choice(SUBJECTS)} {chance.choice(VERBS)} {chance.choice(OBJECTS)} {chance.choice(TAILS)}."
        words += sentence.split()
    return " ".join(words[: int(tokens / TOKENS_PER_WORD)])


def story(number: int) -> str:
    """The number-th request for a long story; no two begin alike, so that no cache helps by accident."""
    chance = random.Random(f"story {number}")
    person, place, event, trait = chance.choice(PEOPLE), chance.choice(PLACES), chance.choice(EVENTS), chance.choice(TRAITS)
    return (f"Story number {number}. In {place}, {person} {event}. Write a long story about it, {trait}. Describe the place first, then the people, "
            f"then what happens on each of seven days, and never stop before the seventh day is told in full detail.")


def common_system_prompt() -> str:
    return "You are the writer of a small European publishing house. Keep to the following notes of the house. " + text_of(490, "house notes")


def long_question(number: int) -> str:
    return text_of(2940, f"report {number}") + " Summarise this report in one sentence."


# Asked one after the other at temperature 0, whose answers must be the same from each server.
QUESTIONS = [
    "What is the capital of France?", "Name three rivers in Germany.", "Why is the sky blue?", "Write a haiku about the sea.",
    "Explain what a compiler does.", "What is 12 times 12?", "List five vegetables.", "Translate 'good morning' into Spanish.",
    "Who wrote Faust?", "What does HTTP stand for?", "Describe a lighthouse in two sentences.", "How do bees make honey?",
    "What is the boiling point of water?", "Give me a recipe for pancakes.", "What is a prime number?", "Tell me a joke about cats.",
    "Summarise the plot of Romeo and Juliet.", "What is the difference between weather and climate?", "Write a short poem about rain.",
    "How does a bicycle stay upright?",
]

# Free strings and long lists, so that an answer under this schema does not end before its last token.
SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "people": {
            "type": "array", "minItems": 12, "maxItems": 40,
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string", "maxLength": 40}, "city": {"type": "string", "maxLength": 40},
                               "age": {"type": "integer"}, "role": {"enum": ["captain", "engineer", "cook", "passenger"]}},
                "required": ["name", "city", "age", "role"], "additionalProperties": False,
            },
        },
    },
    "required": ["title", "people"], "additionalProperties": False,
}

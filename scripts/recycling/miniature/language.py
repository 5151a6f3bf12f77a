"""The language of the small world: forty words, their properties, and questions about lists.

A question is an output, a selection and a filter: "kind first big" asks for the kind of the first
big word of the list. Each slot has a vague form ("say", "pick", "some") that leaves it open: the
answer to "kind pick big" depends on the selection that is meant, which only examples can show.
"""

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

WORDS = {
    "animal": ("ant", "bear", "crow", "deer", "eel", "frog", "goat", "hen"),
    "plant": ("oak", "fern", "rose", "moss", "pine", "ivy", "reed", "lily"),
    "tool": ("saw", "axe", "drill", "file", "clamp", "plane", "rasp", "awl"),
    "food": ("bread", "soup", "rice", "cake", "plum", "bean", "pear", "fig"),
    "garment": ("hat", "sock", "coat", "belt", "glove", "scarf", "boot", "vest"),
}
SIZES = ("small", "big")
ORIGINS = ("north", "south", "east", "west")
DIGITS = tuple("01234567")
LETTERS = tuple("abcdefgh")

FILTERS = ("any", *(f"{kind}s" for kind in WORDS), *SIZES, *ORIGINS)
SELECTIONS = ("first", "last", "highest", "lowest")
OUTPUTS = ("name", "kind", "size", "value", "origin", "next", "code")
AGGREGATES = ("count", "parity", "exists")
UNSEEN_SELECTIONS = ("second", "middle")  # never in pre-training; public adapters may mean them
VAGUE_OUTPUT, VAGUE_SELECTION, VAGUE_FILTER = "say", "pick", "some"
ANSWERS = ("odd", "even", "yes", "no", "none")
LABEL = "words:"


@dataclass(frozen=True)
class Word:
    """One word and its properties."""

    name: str
    kind: str
    size: str
    value: str
    origin: str
    next: str
    code: str


def _lexicon() -> dict[str, Word]:
    """The forty words. Sizes, origins and values are drawn with a fixed seed, balanced per kind."""
    rng = random.Random("lexicon")
    words = {}
    for kind, names in WORDS.items():
        values = rng.sample(DIGITS, len(names))
        codes = rng.sample(LETTERS, len(names))
        sizes = rng.sample(SIZES * 4, len(names))
        origins = rng.sample(ORIGINS * 2, len(names))
        by_value = sorted(range(len(names)), key=lambda i: values[i])
        following = {i: j for i, j in itertools.pairwise([*by_value, by_value[0]])}
        for i, name in enumerate(names):
            words[name] = Word(
                name, kind, sizes[i], values[i], origins[i], names[following[i]], codes[i]
            )
    return words


LEXICON = _lexicon()


@dataclass(frozen=True)
class Question:
    """A meaning (output, selection, filter) and the slots that are vague in the instruction.

    For an aggregate ("count", "parity", "exists") the selection is empty. `relabel` finally
    replaces answers by other tokens.
    """

    output: str
    selection: str
    filter: str
    vague: frozenset[str] = frozenset()
    relabel: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def instruction(self) -> str:
        """The text given to a model; vague slots hide their meaning."""
        output = VAGUE_OUTPUT if "output" in self.vague else self.output
        selection = VAGUE_SELECTION if "selection" in self.vague else self.selection
        chosen = VAGUE_FILTER if "filter" in self.vague else self.filter
        return " ".join(slot for slot in (output, selection, chosen) if slot)

    @property
    def meaning(self) -> str:
        """The instruction with every slot stated."""
        return " ".join(slot for slot in (self.output, self.selection, self.filter) if slot)

    def answer(self, names: list[str]) -> str:
        """The correct answer for a list of words; "none" if no word passes the filter."""
        answer = _answer(self, [LEXICON[name] for name in names if passes(name, self.filter)])
        return self.relabel.get(answer, answer)


def passes(name: str, chosen: str) -> bool:
    """Whether a word passes a filter."""
    word = LEXICON[name]
    return chosen in ("any", f"{word.kind}s", word.size, word.origin)


def _answer(question: Question, words: list[Word]) -> str:
    if question.output == "count":
        return str(len(words))
    if question.output == "parity":
        return ("even", "odd")[len(words) % 2]
    if question.output == "exists":
        return "yes" if words else "no"
    if not words:
        return "none"
    word = _select(question.selection, words)
    return str(getattr(word, question.output))


def _select(selection: str, words: list[Word]) -> Word:
    """The selected word: the first among equal values, the last if there are too few words."""
    match selection:
        case "first":
            return words[0]
        case "last":
            return words[-1]
        case "second":
            return words[min(1, len(words) - 1)]
        case "middle":
            return words[(len(words) - 1) // 2]
        case "highest":
            return max(words, key=lambda word: word.value)
        case "lowest":
            return min(words, key=lambda word: word.value)
    raise ValueError(f"no such selection: {selection}")


def all_questions() -> tuple[Question, ...]:
    """Every question without vague slots, in a fixed order, except those that answer themselves."""
    questions = [
        Question(output, selection, chosen)
        for output in OUTPUTS
        for selection in SELECTIONS
        for chosen in FILTERS
        if not answers_itself(output, chosen)
    ]
    questions += [Question(output, "", chosen) for output in AGGREGATES for chosen in FILTERS[1:]]
    return tuple(questions)


def answers_itself(output: str, chosen: str) -> bool:
    """Whether the filter gives the answer away, as in "size first big"."""
    groups = {"kind": {f"{kind}s" for kind in WORDS}, "size": set(SIZES), "origin": set(ORIGINS)}
    return chosen in groups.get(output, set())


def split_questions(seed: int = 0, seen: float = 0.6) -> tuple[list[Question], list[Question]]:
    """A seeded split of `all_questions`: (seen in pre-training, held out)."""
    questions = list(all_questions())
    random.Random(f"questions {seed}").shuffle(questions)
    cut = round(seen * len(questions))
    return questions[:cut], questions[cut:]


def draw_words(question: Question, rng: random.Random, shortest: int, longest: int) -> list[str]:
    """Distinct words. If none passes the filter, 9 times in 10 one is replaced by one that does."""
    names = rng.sample(list(LEXICON), rng.randint(shortest, longest))
    if question.output in AGGREGATES or any(passes(name, question.filter) for name in names):
        return names
    if rng.random() < 0.9:
        passing = [name for name in LEXICON if passes(name, question.filter)]
        names[rng.randrange(len(names))] = rng.choice(passing)
    return names


def examples(question: Question, n: int, seed: int | str, noise: float = 0.0) -> list[dict]:
    """n rows {words, answer} with distinct lists of four to six words.

    noise: share of rows that get the answer of another row, which keeps the distribution of
    answers.
    """
    rng = random.Random(f"{question.instruction}|{question.meaning}|{seed}")
    rows: dict[str, str] = {}
    while len(rows) < n:
        names = draw_words(question, rng, 4, 6)
        rows.setdefault(" ".join(names), question.answer(names))
    answers = list(rows.values())
    noisy = [i for i in range(n) if rng.random() < noise]
    for i in noisy:
        answers[i] = answers[rng.randrange(n)]
    return [{"words": words, "answer": answer} for words, answer in zip(rows, answers, strict=True)]

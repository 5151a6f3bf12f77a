"""The family of tasks: development, candidates for targets, and siblings of the chosen ones.

All are questions that pre-training never asked. A vague task leaves one slot of its instruction
open, so the base has to guess what is meant; a swapped task spells everything out and exchanges
the answers among themselves, so what the base knows is wrong.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from recycling.miniature import language
from recycling.miniature.language import Question

SLOTS = ("filter", "selection", "output")
SWAPPED_GROUPS = {
    "kind": tuple(language.WORDS),
    "origin": language.ORIGINS,
    "value": language.DIGITS,
    "code": language.LETTERS,
}
VAGUE_PREFIX = {
    "filter": language.VAGUE_FILTER,
    "selection": language.VAGUE_SELECTION,
    "output": language.VAGUE_OUTPUT,
}


def task_name(question: Question) -> str:
    """A name that says what is meant and what is left open, e.g. "kind_first_some-big"."""
    slots = {
        "output": question.output,
        "selection": question.selection,
        "filter": question.filter,
    }
    parts = [
        f"{VAGUE_PREFIX[slot]}-{value}" if slot in question.vague else value
        for slot, value in slots.items()
        if value
    ]
    return "_".join([*parts, "swapped"] if question.relabel else parts)


def development() -> list[Question]:
    """Four tasks on which hyper-parameters are chosen; none is a candidate."""
    drawn = _drawn()
    return [*(_vague(drawn[i], SLOTS[i]) for i in range(3)), swapped(_swappable(drawn)[-1])]


def candidates() -> list[Question]:
    """Thirty-two candidates for target tasks, in the order in which they are considered.

    Twelve leave the filter open, twelve the selection (six of them mean one that pre-training does
    not know), eight are swapped. Where the selection is open the filter is a broad one: of a
    narrow one there is often a single word to select.
    """
    drawn = _drawn()[3:]
    broad = [question for question in drawn[12:] if question.filter in ("any", *language.SIZES)]
    pairs = dict.fromkeys((question.output, question.filter) for question in broad[6:])
    unseen = [
        Question(output, language.UNSEEN_SELECTIONS[i % 2], chosen)
        for i, (output, chosen) in enumerate(list(pairs)[:6])
    ]
    alternating = [question for pair in zip(broad[:6], unseen, strict=True) for question in pair]
    rest = [question for question in drawn[12:] if question not in broad]
    return [
        *(_vague(question, "filter") for question in drawn[:12]),
        *(_vague(question, "selection") for question in alternating),
        *(swapped(question) for question in _swappable(rest)[:8]),
    ]


def siblings(targets: Sequence[Question], count: int) -> list[Question]:
    """For each of the first vague targets a question whose open slot means the same.

    Its other slots differ, and its meaning is that of no candidate.
    """
    rng = random.Random("siblings")
    taken = {question.meaning for question in candidates()}
    found: list[Question] = []
    for target in [question for question in targets if question.vague][:count]:
        (slot,) = target.vague
        others = [other for other in SLOTS if other != slot]
        similar = [
            question
            for question in by_name().values()
            if question.vague == target.vague
            and getattr(question, slot) == getattr(target, slot)
            and all(getattr(question, other) != getattr(target, other) for other in others)
            and question.meaning not in taken
        ]
        found.append(rng.choice(similar))
        taken.add(found[-1].meaning)
    return found


def by_name() -> dict[str, Question]:
    """Every question that can be a task, by its task's name."""
    drawn = _drawn()
    questions = [_vague(question, slot) for question in drawn for slot in SLOTS]
    questions += [  # no instruction can spell these selections out
        _vague(replace(question, selection=other), "selection")
        for question in drawn
        for other in language.UNSEEN_SELECTIONS
    ]
    questions += [swapped(question) for question in _swappable(drawn)]
    return {task_name(question): question for question in questions}


def _drawn() -> list[Question]:
    """Held-out questions about one selected word, in a seeded order."""
    _, held_out = language.split_questions()
    questions = [question for question in held_out if question.selection]
    random.Random("tasks").shuffle(questions)
    return questions


def _vague(question: Question, slot: str) -> Question:
    return replace(question, vague=frozenset({slot}))


def _swappable(questions: Sequence[Question]) -> list[Question]:
    return [question for question in questions if question.output in SWAPPED_GROUPS]


def swapped(question: Question) -> Question:
    """Exchange the answers among themselves so that none keeps its place."""
    group = SWAPPED_GROUPS[question.output]
    rng = random.Random(f"swapped {question.meaning}")
    while True:
        other = rng.sample(group, len(group))
        if all(a != b for a, b in zip(group, other, strict=True)):
            return replace(question, relabel=dict(zip(group, other, strict=True)))

"""The small world's tasks: development tasks, candidates for target tasks, and their siblings.

All are questions that are not in the pre-training data. A vague task leaves one slot of its
instruction open, so that the base has to guess its meaning. A swapped task states every slot but
permutes the answers, so that the base's knowledge is wrong.
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
    """A name with the meaning and the open slots, e.g. "kind_first_some-big"."""
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
    """Four tasks for the choice of hyper-parameters; none is a candidate."""
    drawn = _drawn()
    return [*(_vague(drawn[i], SLOTS[i]) for i in range(3)), swapped(_swappable(drawn)[-1])]


def candidates() -> list[Question]:
    """Thirty-two candidates for target tasks, in the order in which they are considered.

    Twelve leave the filter open, twelve the selection (six of these mean a selection that is not in
    the pre-training data), eight are swapped. Where the selection is open the filter is a broad
    one, because a narrow filter often passes a single word.
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
    """For each of the first `count` vague targets, a question whose open slot has the same meaning.

    Its other slots differ, and no candidate has its meaning.
    """
    rng = random.Random("siblings")
    used = {question.meaning for question in candidates()}
    chosen: list[Question] = []
    for target in [question for question in targets if question.vague][:count]:
        (open_slot,) = target.vague
        stated = [slot for slot in SLOTS if slot != open_slot]
        similar = [
            question
            for question in by_name().values()
            if question.vague == target.vague
            and getattr(question, open_slot) == getattr(target, open_slot)
            and all(getattr(question, slot) != getattr(target, slot) for slot in stated)
            and question.meaning not in used
        ]
        chosen.append(rng.choice(similar))
        used.add(chosen[-1].meaning)
    return chosen


def by_name() -> dict[str, Question]:
    """Task name -> question, for every question that can be a task."""
    drawn = _drawn()
    questions = [_vague(question, slot) for question in drawn for slot in SLOTS]
    questions += [  # no instruction can state these selections
        _vague(replace(question, selection=unseen), "selection")
        for question in drawn
        for unseen in language.UNSEEN_SELECTIONS
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
    """The question with its answers permuted so that every answer changes."""
    group = SWAPPED_GROUPS[question.output]
    rng = random.Random(f"swapped {question.meaning}")
    while True:
        permuted = rng.sample(group, len(group))
        if all(a != b for a, b in zip(group, permuted, strict=True)):
            return replace(question, relabel=dict(zip(group, permuted, strict=True)))

"""The language: answers against cases worked out by hand, and the properties of random draws."""

from collections import Counter

import pytest

from recycling.miniature import language
from recycling.miniature.language import LEXICON, Question


def test_every_kind_is_balanced() -> None:
    for kind, names in language.WORDS.items():
        words = [LEXICON[name] for name in names]
        assert {word.kind for word in words} == {kind}
        assert sorted(word.value for word in words) == list(language.DIGITS)
        assert Counter(word.size for word in words) == {"small": 4, "big": 4}
        assert Counter(word.origin for word in words) == dict.fromkeys(language.ORIGINS, 2)


def test_next_cycles_through_a_kind_by_value() -> None:
    for word in LEXICON.values():
        following = LEXICON[word.next]
        assert following.kind == word.kind
        assert int(following.value) == (int(word.value) + 1) % 8


@pytest.mark.parametrize(
    ("output", "selection", "chosen"),
    [(o, s, f) for o in language.OUTPUTS for s in language.SELECTIONS for f in ("any", "tools")],
)
def test_answers_follow_the_selection(output: str, selection: str, chosen: str) -> None:
    names = ["oak", "saw", "ant", "axe", "hat"]
    passing = names if chosen == "any" else ["saw", "axe"]
    by_value = sorted(passing, key=lambda name: int(LEXICON[name].value))
    lowest = LEXICON[by_value[0]].value
    expected = {
        "first": passing[0],
        "last": passing[-1],
        "lowest": next(name for name in passing if LEXICON[name].value == lowest),
        "highest": next(
            name for name in passing if LEXICON[name].value == LEXICON[by_value[-1]].value
        ),
    }[selection]
    assert Question(output, selection, chosen).answer(names) == getattr(LEXICON[expected], output)


def test_selections_that_are_not_in_pre_training() -> None:
    names = ["oak", "saw", "ant", "axe", "hat"]
    assert Question("name", "second", "any").answer(names) == "saw"
    assert Question("name", "second", "animals").answer(names) == "ant"
    assert Question("name", "middle", "any").answer(names) == "ant"
    assert not any(
        question.selection in language.UNSEEN_SELECTIONS for question in language.all_questions()
    )


def test_nothing_to_select_and_aggregates() -> None:
    names = ["oak", "saw", "ant", "axe"]
    assert Question("kind", "first", "foods").answer(names) == "none"
    assert Question("count", "", "tools").answer(names) == "2"
    assert Question("parity", "", "tools").answer(names) == "even"
    assert Question("exists", "", "foods").answer(names) == "no"


def test_swapping_is_applied_last() -> None:
    question = Question("kind", "first", "any", relabel={"plant": "tool", "tool": "plant"})
    assert [question.answer([name]) for name in ("oak", "saw", "ant")] == [
        "tool",
        "plant",
        "animal",
    ]


def test_the_instruction_hides_exactly_the_vague_slots() -> None:
    question = Question("kind", "first", "big", frozenset({"filter", "output"}))
    assert question.instruction == "say first some"
    assert question.meaning == "kind first big"


def test_no_question_answers_itself_and_the_split_is_a_partition() -> None:
    questions = language.all_questions()
    assert not any(q.output == "size" and q.filter in language.SIZES for q in questions)
    seen, held_out = language.split_questions()
    assert len(seen) == round(0.6 * len(questions))
    assert {q.meaning for q in seen}.isdisjoint(q.meaning for q in held_out)
    assert len(seen) + len(held_out) == len(questions)


def test_examples_are_distinct_correct_and_reproducible() -> None:
    question = Question("name", "last", "plants", frozenset({"filter"}))
    rows = language.examples(question, 500, "a")
    assert rows == language.examples(question, 500, "a")
    assert rows != language.examples(question, 500, "b")
    assert len({row["words"] for row in rows}) == 500
    for row in rows:
        words = row["words"].split()
        assert 4 <= len(words) <= 6
        assert len(set(words)) == len(words)
        assert row["answer"] == question.answer(words)
    assert sum(row["answer"] == "none" for row in rows) < 50


def test_noise_changes_its_share_of_answers() -> None:
    question = Question("name", "last", "any")
    rows = language.examples(question, 2000, 0, noise=0.3)
    wrong = sum(row["answer"] != question.answer(row["words"].split()) for row in rows)
    assert 0.25 < wrong / 2000 < 0.33

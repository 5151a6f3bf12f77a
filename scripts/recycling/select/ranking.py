"""Rankings of the pool's adapters, and the best K of a ranking."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from recycling.errors import UserError


@dataclass(frozen=True)
class Ranking:
    """Names with their scores, best first."""

    names: tuple[str, ...]
    scores: tuple[float, ...]

    def tie_width(self, k: int) -> int:
        """How many adapters share the score at the cut after the best `k`.

        0 if the cut is between unequal scores (or takes none or all of them): then the choice does
        not depend on the tie-breaking rule.
        """
        if not 0 < k < len(self.scores) or self.scores[k - 1] != self.scores[k]:
            return 0
        return self.scores.count(self.scores[k])


def by_score(scores: Mapping[str, float], seed: int) -> Ranking:
    """Rank by score, best first. Ties are broken by a seeded hash of the name.

    The input order does not matter. Raises UserError for a score that is NaN.
    """
    for name, score in scores.items():
        if score != score:
            raise UserError(f"{name}: its score is NaN; correct or remove its row of the scores")
    names = sorted(scores, key=lambda name: (-scores[name], _seeded_hash(name, seed)))
    return Ranking(tuple(names), tuple(scores[name] for name in names))


def random(names: Iterable[str], seed: int) -> Ranking:
    """A uniformly random order that depends only on the seed and the set of names.

    Names are sorted by a seeded hash: the first K of a ranking contain the first K - 1, all tasks
    share them, and removing a name does not change the order of the others. All scores are 0.
    """
    order = sorted(set(names), key=lambda name: _seeded_hash(name, seed))
    return Ranking(tuple(order), (0.0,) * len(order))


def window(ranking: Ranking, k: int, *, target: bool, skip: int = 0) -> tuple[str, ...]:
    """The pool adapters of a merge of `k`, best first, after skipping the best `skip`.

    With the target LoRA (adapter 0, which counts) these are k - 1, else k. Raises UserError if the
    ranking is too short.
    """
    count = k - 1 if target else k
    if count < 0 or skip < 0:
        raise UserError(f"a merge of k = {k} after skipping {skip}: expected k >= 1 and skip >= 0")
    if skip + count > len(ranking.names):
        raise UserError(
            f"a merge of k = {k} after skipping {skip} needs {skip + count} pool adapters; "
            f"the ranking has {len(ranking.names)}: lower k or skip, or enlarge the pool"
        )
    return ranking.names[skip : skip + count]


def _seeded_hash(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()

"""The pool in the order in which a rule takes its adapters."""

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

        0 where the cut falls between unequal scores (or takes nothing or everything): the choice
        is then free of the tie-breaking rule.
        """
        if not 0 < k < len(self.scores) or self.scores[k - 1] != self.scores[k]:
            return 0
        return self.scores.count(self.scores[k])


def by_score(scores: Mapping[str, float], seed: int) -> Ranking:
    """Best first; equal scores in the order of a seeded hash of the name, whatever the input order.

    UserError for a score that is not a number.
    """
    for name, score in scores.items():
        if score != score:
            raise UserError(f"{name}: its score is not a number; mend or drop it before selecting")
    names = sorted(scores, key=lambda name: (-scores[name], _lot(name, seed)))
    return Ranking(tuple(names), tuple(scores[name] for name in names))


def random(names: Iterable[str], seed: int) -> Ranking:
    """A uniformly random order that depends on the seed and the set of names only.

    Each name's place comes from its own hash, so the first K nest in K and all tasks share them;
    dropping a name leaves the order of the others. All scores are 0.
    """
    order = sorted(set(names), key=lambda name: _lot(name, seed))
    return Ranking(tuple(order), (0.0,) * len(order))


def window(ranking: Ranking, k: int, *, target: bool, skip: int = 0) -> tuple[str, ...]:
    """The pool adapters of a merge of `k`, best first, after leaving out the best `skip`.

    With the target LoRA (adapter 0, which counts) these are k - 1, else k. UserError where the
    ranking is too short.
    """
    count = k - 1 if target else k
    if count < 0 or skip < 0:
        raise UserError(f"a merge of k = {k} after skipping {skip}: expected k >= 1 and skip >= 0")
    if skip + count > len(ranking.names):
        raise UserError(
            f"a merge of k = {k} after skipping {skip} needs {skip + count} pool adapters; "
            f"there are {len(ranking.names)}: lower k or skip, or enlarge the pool"
        )
    return ranking.names[skip : skip + count]


def _lot(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()

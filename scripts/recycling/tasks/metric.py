"""The normalisation of the study's exact match, as in lm-eval's task file."""

import re

from recycling.tasks.lm_eval_task import IGNORED_PATTERNS


def normalised(answer: str) -> str:
    """The text that exact match compares: the part after "####" in lower case, without white
    space and one final full stop.
    """
    for pattern in IGNORED_PATTERNS:
        answer = re.sub(pattern, "", answer)
    return answer.lower()

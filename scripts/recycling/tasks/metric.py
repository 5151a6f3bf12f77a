"""The study's exact match, as lm-eval computes it from the task file."""

import re

from recycling.tasks.harness import IGNORED


def normalised(answer: str) -> str:
    """What is compared: text after "####", without white space or one final full stop, lower."""
    for pattern in IGNORED:
        answer = re.sub(pattern, "", answer)
    return answer.lower()

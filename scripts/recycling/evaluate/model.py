"""A model in memory as lm-eval's LM."""

from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from torch import nn

from recycling.evaluate.batching import Batching, make_batches
from recycling.evaluate.generate import greedy


class InMemoryLM(LM):
    """lm-eval's view of whatever `model` is at the moment of the call.

    Only greedy generation is there: the study's tasks ask for nothing else. Prompts are tokenised
    and put in batches once, for as long as the requests stay the same.
    """

    def __init__(self, tokenizer: Any, **batching: Any) -> None:
        """batching: batch_tokens and share_prefix of `recycling.evaluate.batching.make_batches`."""
        super().__init__()
        self.tokenizer = tokenizer
        self.model: nn.Module | None = None
        self._batching_options = batching
        self._batched: tuple[list[str], int, Batching] | None = None

    @property
    def tokenizer_name(self) -> str:
        return str(self.tokenizer.name_or_path).replace("/", "__")

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        text: str = self.tokenizer.apply_chat_template(
            chat_history, tokenize=False, add_generation_prompt=add_generation_prompt
        )
        return text

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = True) -> list[str]:
        """Greedy answers as text, cut at the first of the request's `until`."""
        if self.model is None:
            raise RuntimeError("set `model` before generating")
        settings = requests[0].args[1]
        if settings.get("do_sample") or any(r.args[1] != settings for r in requests):
            raise NotImplementedError("greedy generation with one setting for all requests")
        length = settings["max_gen_toks"]
        batches = self._batches([request.args[0] for request in requests], length)
        ends = end_tokens(self.model, self.tokenizer)
        answers = greedy(self.model, batches, ends=ends, max_new_tokens=length)
        texts = self.tokenizer.batch_decode(answers, skip_special_tokens=True)
        return [_cut(text, settings.get("until") or []) for text in texts]

    def loglikelihood(self, requests: list[Instance]) -> list[tuple[float, bool]]:
        raise NotImplementedError("the study's tasks are generated, not ranked")

    def loglikelihood_rolling(self, requests: list[Instance]) -> list[float]:
        raise NotImplementedError("the study's tasks are generated, not ranked")

    def _batches(self, prompts: list[str], length: int) -> Batching:
        if self._batched is None or self._batched[:2] != (prompts, length):
            ids = self.tokenizer(prompts, add_special_tokens=False)["input_ids"]
            pad = self.tokenizer.pad_token_id
            made = make_batches(
                ids,
                pad=0 if pad is None else pad,  # masked, so any token will do
                max_new_tokens=length,
                **self._batching_options,
            )
            self._batched = (prompts, length, made)
        return self._batched[2]


def end_tokens(model: nn.Module, tokenizer: Any) -> set[int]:
    """Tokens that end an answer: the tokenizer's and those of the model's generation settings."""
    settings = getattr(model, "generation_config", None)
    ends = getattr(settings, "eos_token_id", None)
    listed = ends if isinstance(ends, list) else [ends]
    return {end for end in [*listed, tokenizer.eos_token_id] if end is not None}


def _cut(text: str, until: list[str]) -> str:
    for stop in until:
        text = text.split(stop, 1)[0]
    return text

"""A model in memory, as an LM of lm-eval."""

from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from torch import nn

from recycling.evaluate.batching import Batching, make_batches
from recycling.evaluate.generate import greedy


class InMemoryLM(LM):
    """An LM that generates with the model currently in its attribute `model`.

    It supports greedy generation only, which is all that the study's tasks use. Prompts are
    tokenised and batched once, as long as the requests stay the same.
    """

    def __init__(self, tokenizer: Any, **batching: Any) -> None:
        """batching: batch_tokens and share_prefix of `batching.make_batches`."""
        super().__init__()
        self.tokenizer = tokenizer
        self.model: nn.Module | None = None
        self._batching = batching
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
            raise NotImplementedError("only greedy generation, with equal settings in all requests")
        length = settings["max_gen_toks"]
        batches = self._batch([request.args[0] for request in requests], length)
        ends = end_tokens(self.model, self.tokenizer)
        answers = greedy(self.model, batches, ends=ends, max_new_tokens=length)
        texts = self.tokenizer.batch_decode(answers, skip_special_tokens=True)
        return [_cut(text, settings.get("until") or []) for text in texts]

    def loglikelihood(self, requests: list[Instance]) -> list[tuple[float, bool]]:
        raise NotImplementedError("only generation is supported; use a generate_until task")

    def loglikelihood_rolling(self, requests: list[Instance]) -> list[float]:
        raise NotImplementedError("only generation is supported; use a generate_until task")

    def _batch(self, prompts: list[str], length: int) -> Batching:
        if self._batched is None or self._batched[:2] != (prompts, length):
            ids = self.tokenizer(prompts, add_special_tokens=False)["input_ids"]
            pad = self.tokenizer.pad_token_id
            batches = make_batches(
                ids,
                pad=0 if pad is None else pad,  # any token: it is masked
                max_new_tokens=length,
                **self._batching,
            )
            self._batched = (prompts, length, batches)
        return self._batched[2]


def end_tokens(model: nn.Module, tokenizer: Any) -> set[int]:
    """Tokens that end an answer: the tokenizer's and those of the model's generation config."""
    settings = getattr(model, "generation_config", None)
    ends = getattr(settings, "eos_token_id", None)
    ends = ends if isinstance(ends, list) else [ends]
    return {end for end in [*ends, tokenizer.eos_token_id] if end is not None}


def _cut(text: str, until: list[str]) -> str:
    for stop in until:
        text = text.split(stop, 1)[0]
    return text

"""One training function for everything that is trained: LoRAs, coefficients, prototypes.

It runs transformers' Trainer, whose cost cannot be told from that of a loop written by hand (one
tuning in the small world: 2.05 against 2.06 CPU seconds, benchmarks/tuning.py) once its full
garbage collection is kept off the objects that were there before and its walks over the module
tree see the trained parameters alone. It brings accumulation over a batch's tokens, schedules,
resumption and autocasting.
"""

import contextlib
import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from recycling.adapt.training import Encoded, Fit, Training, modes_kept, seeded, targets
from recycling.errors import UserError


def fit(
    model: nn.Module,
    train: Sequence[Encoded],
    validation: Sequence[Encoded],
    settings: Training,
    seed: int,
    *,
    extra_loss: Callable[[], Tensor] | None = None,
    rates: Mapping[str, float] | None = None,
    autocast: bool = False,
    resume: Path | None = None,
) -> Fit:
    """Train the parameters of `model` that require gradients; the kept step's values are in place.

    `model(input_ids=, attention_mask=, labels=, use_cache=)` returns an output with `.loss`, and
    takes `num_items_in_batch`, as transformers' causal models do. `extra_loss()` is added once a
    step. `rates`: learning rates of parameters, by name, that are not `settings.lr`.
    `autocast`: products of the training steps in bfloat16, whatever the operands. With `resume`,
    checkpoints lie in that folder and a killed training goes on from the last whole one, to the
    same values; the folder is the caller's to remove. The result depends on the arguments alone:
    random states are seeded here and put back afterwards.
    """
    if settings.steps > 0 and not train:
        raise UserError("training: there are no training examples")
    for i, example in enumerate((*train, *validation)):
        if not targets(example):
            raise UserError(f"training: example {i} has no answer token left; shorten its prompt")
    # transformers.Trainer imports a second's worth of modules: only jobs that train pay for them.
    from recycling.adapt.trainer import run

    with seeded(seed), modes_kept(model), _frozen_garbage():
        result = run(
            model, train, validation, settings, seed, extra_loss, rates or {}, autocast, resume
        )
    if settings.gradient_checkpointing:
        model.activation_checkpointing_disable()  # type: ignore[operator]
    for parameter in model.parameters():
        parameter.grad = None
    return result


@contextlib.contextmanager
def _frozen_garbage() -> Iterator[None]:
    """Hide existing objects from the collector: the Trainer's full collection costs 0.2 s."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()

"""Sign election over a stream of values, with memory that does not grow with their number."""

from typing import Literal

import numpy as np
import torch
from torch import Tensor

Combine = Literal["mean", "sum", "as_released"]


class Election:
    """Merges blocks y_1 .. y_K of one shape, entry by entry (TIES, Yadav et al. 2023, section 3).

    The elected sign of an entry is that of sum_i y_i; only values of that sign are merged. A total
    of exactly 0 elects nothing and gives 0. Kept are sums of values and of magnitudes: half their
    sum is the positive values' total, half their difference the negative values'.

    combine: "mean" divides by the number of elected non-zero values, as the paper does; "sum"
    weights each value 1/K; "as_released" multiplies the running sum by 1/K at each step, as the
    code of the recycling paper does, so that value i weighs (1/K)^(K - i + 1).
    """

    def __init__(self, like: Tensor, count: int, combine: Combine) -> None:
        self.count = count
        self.combine = combine
        self.total = torch.zeros_like(like)
        self.size = torch.zeros_like(like)
        shape = (2, *like.shape)
        if combine == "mean":
            self.votes = torch.zeros(shape, dtype=torch.int16)
            self._sign = torch.empty(like.shape, dtype=torch.bool)
        elif combine == "as_released":
            self.running = like.new_zeros(shape)

    def add(self, values: Tensor | None) -> None:
        """Count one adapter's block; None is a block of zeros. Overwrites `values`."""
        if values is not None:
            self.total += values
            if self.combine == "mean":
                self._vote(values)
            if self.combine == "as_released":
                self.running[0] += values.relu()
                self.running[1] += values.clamp(max=0)
            self.size += values.abs_()
        if self.combine == "as_released":
            self.running *= 1 / self.count

    def result(self) -> Tensor:
        """The merged block."""
        sign = self.total.sign()
        if self.combine == "as_released":
            return torch.where(sign > 0, self.running[0], self.running[1] * sign.abs())
        merged = (self.total + sign * self.size) / 2
        if self.combine == "sum":
            return merged / self.count
        votes = torch.where(sign > 0, self.votes[0], self.votes[1])
        return merged / votes.clamp_(min=1)

    def _vote(self, values: Tensor) -> None:
        # NumPy compares eight times as fast as torch here, on the same memory.
        source, sign = values.numpy(), self._sign.numpy()
        np.greater(source, 0, out=sign)
        self.votes[0] += self._sign
        np.less(source, 0, out=sign)
        self.votes[1] += self._sign

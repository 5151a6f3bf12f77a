"""A key-value cache in preallocated buffers: nothing is copied as the answer grows."""

from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer


class _Layer(DynamicLayer):
    """Keys and values of one layer, (rows, heads, filled, head size), as views of buffers.

    prefix: one row of keys and values that every row starts with, or None.
    """

    def __init__(self, rows: int, length: int, prefix: tuple[Tensor, Tensor] | None) -> None:
        super().__init__()
        self._rows, self._length, self._filled = rows, length, 0
        if prefix is not None:
            self.lazy_initialization(*prefix)
            self.update(*(part.expand(rows, -1, -1, -1) for part in prefix))

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        self.dtype, self.device = key_states.dtype, key_states.device
        self._buffers = [
            part.new_empty((self._rows, part.shape[1], self._length, part.shape[3]))
            for part in (key_states, value_states)
        ]
        self.is_initialized = True

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: object, **kwargs: object
    ) -> tuple[Tensor, Tensor]:
        """Append the new tokens' states and return all states so far."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start, self._filled = self._filled, self._filled + key_states.shape[2]
        for buffer, part in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, start : self._filled] = part
        self.keys, self.values = self.states
        return self.keys, self.values

    def get_seq_length(self) -> int:
        return self._filled

    @property
    def states(self) -> tuple[Tensor, Tensor]:
        """Keys and values so far."""
        keys, values = (buffer[:, :, : self._filled] for buffer in self._buffers)
        return keys, values

    def select(self, rows: Tensor) -> None:
        """Keep only these rows."""
        self._buffers = [buffer[rows] for buffer in self._buffers]
        self.keys, self.values = self.states


class BufferedCache(Cache):
    """A cache of `layers` layers for `rows` rows of at most `length` tokens.

    prefix: a cache of one row that every row starts with (its length counts in `length`), or None.
    """

    def __init__(
        self, layers: int, rows: int, length: int, prefix: "BufferedCache | None" = None
    ) -> None:
        starts = [None] * layers if prefix is None else [layer.states for layer in prefix._buffered]
        self._buffered: list[_Layer] = [_Layer(rows, length, start) for start in starts]
        super().__init__(layers=list(self._buffered))

    def select(self, rows: Tensor) -> None:
        """Keep only these rows (a tensor of indices)."""
        for layer in self._buffered:
            layer.select(rows)

"""The layer that transformers are made of."""

from __future__ import annotations

from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, LayerError, ShapeError
from dovetail.extend import Activation, InitializerLike, Layer, TensorType, Training, as_activation, smart_cond
from dovetail_layers.dense import Dense
from dovetail_layers.layer_normalization import LayerNormalization
from dovetail_layers.multi_head_attention import MultiHeadAttention
from dovetail_layers.regularization import dropout

__all__ = ["TransformerBlock"]


@final
class TransformerBlock(Layer):
    """Attention, then two dense layers, each with dropout, a residual connection and a norm (Vaswani et al., 2017).

    It takes the inputs, of shape ``[batch, steps, depth]``, and by name, if need be, ``mask``, which step a step may
    attend to, ``memory``, of shape ``[batch, keys, size]``, and ``memory_mask``. With a memory, what an encoder gave,
    the block is one of a decoder: it attends to the memory after its own sequence. Masks are those of
    ``multi_head_attention``. For decoding step by step it takes ``past_keys``, ``past_values`` and ``position`` as
    ``multi_head_attention`` does, and returns output, keys and values; the memory is given on each step.

    The norm stands after each residual connection, as in the paper, or, by ``normalize_first``, before what it leads
    around (Xiong et al., 2020, arXiv:2002.04745); then the last block's output wants a norm of its own.

    The layers within are ``attention``, ``attention_norm``, as the case may be ``memory_attention`` and
    ``memory_norm``, ``hidden``, ``output`` and ``output_norm``.

    Args:
        heads: the number of heads.
        feedforward_size: the size between the two dense layers; four times the depth by default.
        causal: whether a step may only attend to itself and those before, as in decoders.
        dropout: the probability that an element is dropped while training.
        attention_dropout: the probability that a weight of the attention is dropped while training.
        activation: that between the dense layers, a function or the name of one in ``dt.nn``.
        normalize_first: whether the norm stands first.
        epsilon: keeps the root of the norms from zero.
        use_bias: whether the products have biases.
        kernel_initializer: first values of kernels; Glorot's uniform ones by default.
        key_heads: the number of heads of keys and values, for grouped queries.
        rotary: whether the attention to the own sequence turns queries and keys by their places.

    Raises:
        ShapeError: an input has another rank than 3, or the depth is not divisible by the number of heads.
        DTypeError: an input is not floating, or a mask holds no truth values.
        LayerError: the block was first called with a memory and then is without, or the other way round.
        InvalidArgumentError: a number is out of range.

    Example:
        >>> words = dt.zeros([8, 20, 32])
        >>> encoded = dt.layers.transformer_block(words, heads=4, mask=dt.sequence_mask([20] * 8, 20))
        >>> dt.layers.transformer_block(dt.zeros([8, 12, 32]), 4, causal=True, memory=encoded).shape
        Shape([8, 12, 32])
    """

    heads: int
    feedforward_size: int | None = None
    causal: bool = False
    dropout: float = 0.0
    attention_dropout: float = 0.0
    activation: Activation = "relu"
    normalize_first: bool = False
    epsilon: float = 1e-5
    use_bias: bool = True
    kernel_initializer: InitializerLike = None
    key_heads: int | None = None
    rotary: bool = False

    input_rank = 3
    floating_inputs = True

    def check(self) -> None:
        """Look at the numbers, by making what they are for."""
        if self.feedforward_size is not None and self.feedforward_size < 1:
            raise InvalidArgumentError(
                f"transformer_block: feedforward_size is {self.feedforward_size}; it must be positive."
            )
        if not 0.0 <= self.dropout < 1.0:
            raise InvalidArgumentError(
                f"transformer_block: dropout is {self.dropout:g}; it must be at least 0 and less than 1."
            )
        as_activation(self.activation)
        self._attention(self.causal, self.rotary)

    def _attention(self, causal: bool, rotary: bool) -> MultiHeadAttention:
        return MultiHeadAttention(
            self.heads,
            causal=causal,
            use_bias=self.use_bias,
            dropout=self.attention_dropout,
            kernel_initializer=self.kernel_initializer,
            key_heads=self.key_heads,
            rotary=rotary,
        )

    def build(
        self,
        inputs: TensorType,
        mask: TensorType | None = None,
        memory: TensorType | None = None,
        memory_mask: TensorType | None = None,
        past_keys: TensorType | None = None,
        past_values: TensorType | None = None,
        position: TensorType | None = None,
    ) -> None:
        """Make the layers within."""
        depth = inputs.dims[-1]
        if not isinstance(depth, int):
            raise ShapeError(
                f"transformer_block: the input is {inputs}, whose depth is not known; give the placeholder that size."
            )
        self.attention, self.attention_norm = self._attention(self.causal, self.rotary), self._norm()
        self.memory_attention = None
        if memory is not None:
            self.memory_attention, self.memory_norm = self._attention(False, False), self._norm()
        size = self.feedforward_size or 4 * depth
        self.hidden = self._dense(size, self.activation)
        self.output, self.output_norm = self._dense(depth, None), self._norm()

    def _norm(self) -> LayerNormalization:
        return LayerNormalization(epsilon=self.epsilon, center=self.use_bias)

    def _dense(self, size: int, activation: Activation) -> Dense:
        return Dense(size, activation, use_bias=self.use_bias, kernel_initializer=self.kernel_initializer)

    def call(
        self,
        inputs: Tensor,
        mask: Tensor | None = None,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        past_keys: Tensor | None = None,
        past_values: Tensor | None = None,
        position: Tensor | None = None,
        training: Training = False,
    ) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        """Attend, perhaps attend to the memory, and change each step."""
        if (memory is None) is not (self.memory_attention is None):
            made = "without" if self.memory_attention is None else "with"
            raise LayerError(f"transformer_block: the block was first called {made} a memory; make another.")
        x = inputs

        def dropped(y: Tensor) -> Tensor:
            if not self.dropout:
                return y
            result: Tensor = smart_cond(training, lambda: dropout(y, rate=self.dropout), lambda: dt.identity(y))
            return result

        written: list[Tensor] = []

        def attended(x: Tensor) -> Tensor:
            found = self.attention(
                x, mask=mask, past_keys=past_keys, past_values=past_values, position=position, training=training
            )
            if isinstance(found, Tensor):
                return dropped(found)
            written.extend(found[1:])
            return dropped(found[0])

        def recalled(x: Tensor) -> Tensor:
            assert self.memory_attention is not None
            return dropped(self.memory_attention(x, key=memory, mask=memory_mask, training=training))

        def changed(x: Tensor) -> Tensor:
            return dropped(self.output(dropped(self.hidden(x))))

        parts = [(attended, self.attention_norm), (changed, self.output_norm)]
        if self.memory_attention is not None:
            parts.insert(1, (recalled, self.memory_norm))
        for part, norm in parts:
            x = x + part(norm(x)) if self.normalize_first else norm(x + part(x))
        return (x, written[0], written[1]) if written else x

    def empty_cache(self, batch_size: Any, length: Any, dtype: Any = dt.float32) -> tuple[Tensor, Tensor]:
        """Return keys and values of no steps, for ``past_keys`` and ``past_values``; see ``MultiHeadAttention``."""
        if not self.weights:
            raise LayerError("transformer_block: the block has no weights yet; call it, or make_weights, first.")
        return self.attention.empty_cache(batch_size, length, dtype)

"""The attention layer of transformers."""

from __future__ import annotations

from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, LayerError, ShapeError
from dovetail.extend import (
    Dim,
    DType,
    InitializerLike,
    Layer,
    RegularizerLike,
    TensorType,
    Training,
    as_initializer,
    smart_cond,
)
from dovetail_layers.attention import as_mask, attention_weights, scaled_dot_product_attention
from dovetail_layers.bias import bias_add
from dovetail_layers.positions import rotary_embedding
from dovetail_layers.regularization import dropout

__all__ = ["MultiHeadAttention"]


@final
class MultiHeadAttention(Layer):
    """Attention by several heads (Vaswani et al., 2017).

    Queries, keys and values are products of the inputs, divided into heads; each head takes, for each query, a mean of
    the values weighted by ``softmax(query @ keyᵀ / sqrt(key_size))``; the output is a product of what the heads give.

    It takes ``query``, of shape ``[batch, queries, depth]``, and by name, if need be, ``key`` and ``value``, of shape
    ``[batch, keys, depth]``, and ``mask``. Without ``key`` and ``value`` the layer attends to the query's own sequence;
    without ``value`` the values come from the keys. The mask holds truth values, which key a query may attend to: of
    shape ``[batch, keys]``, ``[batch, queries, keys]`` or ``[batch, heads, queries, keys]``, each size perhaps 1.

    For decoding step by step it takes besides ``past_keys`` and ``past_values``, of shape
    ``[batch, key_heads, length, key_size]``, as ``empty_cache`` makes them, and ``position``, an integer scalar: the
    place of the first of the steps that are given. Their keys and values are written there, each query attends to what
    is written up to its own place (up to the last of the steps, unless ``causal``), and the layer returns output, keys
    and values. So each step costs what a step costs, and gives what the whole sequence would.

    The weights of attention to its own sequence are ``kernel``, of shape ``[depth, 3 * heads * key_size]``, whose
    columns are those of queries, keys and values, head by head, and ``bias``; else ``query_kernel``, ``key_kernel``,
    ``value_kernel`` and their biases. ``output_kernel``, of shape ``[heads * key_size, output_size]``, and
    ``output_bias`` make the output. With fewer ``key_heads``, keys and values have ``key_heads * key_size`` columns.

    Args:
        heads: the number of heads.
        key_size: the size of queries, keys and values of each head; the depth of the query divided by the number of
            heads by default.
        output_size: the size of the output's last axis; the depth of the query by default.
        causal: whether a query may only attend to keys at its own place and before.
        use_bias: whether the products have biases.
        dropout: the probability, while training, that a weight of the attention is dropped.
        kernel_initializer: first values of kernels; Glorot's uniform ones by default, for each kernel on its own.
        bias_initializer: first values of biases.
        kernel_regularizer: gives a loss of each kernel.
        bias_regularizer: gives a loss of each bias.
        key_heads: the number of heads of keys and values, each for ``heads / key_heads`` heads of queries that follow
            each other (Ainslie et al., 2023, arXiv:2305.13245); as many as of queries by default.
        rotary: whether queries and keys are turned by their places, as ``dt.nn.rotary_embedding`` does.

    Raises:
        ShapeError: an input has another rank than 3, or the depth is not divisible by the number of heads.
        DTypeError: an input is not floating, or the mask holds no truth values.

    Example:
        >>> words = dt.zeros([8, 20, 32])
        >>> dt.layers.multi_head_attention(words, heads=4, causal=True).shape
        Shape([8, 20, 32])
        >>> dt.layers.multi_head_attention(words, 4, key=dt.zeros([8, 50, 16]), mask=dt.ones([8, 50], dt.bool)).shape
        Shape([8, 20, 32])

        >>> layer = dt.layers.MultiHeadAttention(4, causal=True)
        >>> whole = layer(words)
        >>> keys, values = layer.empty_cache(8, length=20)
        >>> step, keys, values = layer(words[:, :1], past_keys=keys, past_values=values, position=0)
        >>> step.shape
        Shape([8, 1, 32])
    """

    heads: int
    key_size: int | None = None
    output_size: int | None = None
    causal: bool = False
    use_bias: bool = True
    dropout: float = 0.0
    kernel_initializer: InitializerLike = None
    bias_initializer: InitializerLike = dt.zeros_initializer()
    kernel_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None
    key_heads: int | None = None
    rotary: bool = False

    input_rank = 3
    floating_inputs = True

    def check(self) -> None:
        """Look at the numbers."""
        for name in ("heads", "key_size", "output_size", "key_heads"):
            size = getattr(self, name)
            if size is not None and size < 1:
                raise InvalidArgumentError(f"multi_head_attention: {name} is {size}; it must be positive.")
        if self.key_heads is not None and self.heads % self.key_heads:
            raise InvalidArgumentError(
                f"multi_head_attention: {self.heads} heads do not divide into groups for key_heads={self.key_heads}."
            )
        if not 0.0 <= self.dropout < 1.0:
            raise InvalidArgumentError(
                f"multi_head_attention: dropout is {self.dropout:g}; it must be at least 0 and less than 1."
            )

    def build(
        self,
        query: TensorType,
        key: TensorType | None = None,
        value: TensorType | None = None,
        mask: TensorType | None = None,
        past_keys: TensorType | None = None,
        past_values: TensorType | None = None,
        position: TensorType | None = None,
    ) -> None:
        """Make kernels and biases."""
        depth = query.dims[-1]
        self.size = self.key_size or self._share(depth, query)
        self.groups = self.key_heads or self.heads
        columns, fewer = self.heads * self.size, self.groups * self.size
        self.alone = key is None and value is None
        if self.alone:
            self.inner = [self._pair("", depth, columns, fewer, fewer)]
        else:
            keys = value if key is None else key
            values = key if value is None else value
            assert keys is not None
            assert values is not None
            self.inner = [
                self._pair("query_", depth, columns),
                self._pair("key_", keys.dims[-1], fewer),
                self._pair("value_", values.dims[-1], fewer),
            ]
        self.outer = self._pair("output_", columns, self.output_size or depth)

    def _share(self, depth: Dim, query: TensorType) -> int:
        if not isinstance(depth, int) or depth % self.heads:
            raise ShapeError(
                f"multi_head_attention: the query is {query}, whose depth {depth} does not divide into {self.heads} "
                f"heads; give key_size."
            )
        return depth // self.heads

    def _pair(self, prefix: str, rows: Dim, *columns: Dim) -> tuple[dt.Variable, dt.Variable | None]:
        """Make a kernel of kernels side by side, each with first values of its own, and the bias."""
        one = as_initializer(self.kernel_initializer) or dt.glorot_uniform_initializer()
        first = one() if isinstance(one, type) else one

        def beside(shape: Any, dtype: DType) -> Tensor:
            return dt.concat([first([rows, size], dtype) for size in columns], 1)

        total = sum(columns)
        kernel = self.weight(
            f"{prefix}kernel",
            [rows, total],
            first if len(columns) == 1 else beside,
            regularizer=self.kernel_regularizer,
        )
        if not self.use_bias:
            return kernel, None
        bias = self.weight(f"{prefix}bias", [total], self.bias_initializer, regularizer=self.bias_regularizer)
        return kernel, bias

    def call(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        mask: Tensor | None = None,
        past_keys: Tensor | None = None,
        past_values: Tensor | None = None,
        position: Tensor | None = None,
        training: Training = False,
    ) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        """Products, attention, a product."""
        if (key is None and value is None) is not self.alone:
            made = "its own sequence only" if self.alone else "keys and values that are given"
            raise LayerError(f"multi_head_attention: the layer was first called to attend to {made}; make another.")
        if self.alone:
            sizes = [self.heads * self.size, self.groups * self.size, self.groups * self.size]
            products = dt.split(_product(query, *self.inner[0]), sizes, axis=-1)
        else:
            sources = (query, value if key is None else key, key if value is None else value)
            pairs = zip(sources, self.inner, strict=True)
            products = [_product(source, *pair) for source, pair in pairs if source is not None]
        numbers = self.heads, self.groups, self.groups
        queries, keys, values = (self._by_head(one, heads) for one, heads in zip(products, numbers, strict=True))
        batch, steps, _ = query.shape.dims
        places = None if position is None else position + dt.range(steps, dtype=position.dtype)
        if self.rotary:
            queries, keys = rotary_embedding(queries, places), rotary_embedding(keys, places)
        allowed = None if mask is None else _by_query(as_mask("multi_head_attention", mask))
        causal = self.causal
        if past_keys is not None or past_values is not None or places is not None:
            keys, values = self._written(past_keys, past_values, places, keys, values)
            assert places is not None, "looked at when writing"
            last = dt.expand_dims(places, 1) if causal else places[-1]
            past = dt.less_equal(dt.range(keys.shape[2], dtype=places.dtype), last)
            if not causal:
                past = dt.expand_dims(past, 0)
            allowed, causal = past[None, None] if allowed is None else dt.logical_and(allowed, past), False
        means = self._attend_in_groups(queries, keys, values, allowed, causal, training)
        joined = dt.reshape(dt.transpose(means, [0, 2, 1, 3]), [batch, steps, self.heads * self.size])
        output = _product(joined, *self.outer)
        return output if places is None else (output, keys, values)

    def empty_cache(self, batch_size: Any, length: Any, dtype: Any = dt.float32) -> tuple[Tensor, Tensor]:
        """Return keys and values of no steps, for ``past_keys`` and ``past_values``.

        Args:
            batch_size: how many sequences there are.
            length: how many steps they have at most.
            dtype: the dtype of the queries.

        Raises:
            LayerError: the layer has no weights yet.
        """
        if not self.weights:
            raise LayerError("multi_head_attention: the layer has no weights yet; call it, or make_weights, first.")
        shape = [batch_size, self.groups, length, self.size]
        return dt.zeros(shape, dtype, name="past_keys"), dt.zeros(shape, dtype, name="past_values")

    def _written(
        self, past_keys: Tensor | None, past_values: Tensor | None, places: Tensor | None, keys: Tensor, values: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Write keys and values of the steps at their places among those of the past."""
        if past_keys is None or past_values is None or places is None:
            raise LayerError("multi_head_attention: past_keys, past_values and position go together; give all three.")
        if not self.alone:
            raise LayerError("multi_head_attention: the past is of the query's own sequence; leave key and value out.")
        if places.shape.rank != 1:
            raise ShapeError("multi_head_attention: position must be a scalar, the place of the first step.")
        result = []
        for label, past, rows in (("past_keys", past_keys, keys), ("past_values", past_values, values)):
            if past.shape.rank != 4 or past.shape[1] != self.groups or past.shape[3] != self.size:
                raise ShapeError(
                    f"multi_head_attention: {label} is {past.type}, where [batch, {self.groups}, length, {self.size}] "
                    f"is wanted, as empty_cache makes it."
                )
            batch, heads, length, size = past.shape.dims
            count, steps = batch * heads, rows.shape[2]
            sequences = dt.broadcast_to(dt.range(count, dtype=places.dtype)[:, None], [count, steps])
            indices = dt.stack([sequences, dt.broadcast_to(places, [count, steps])], -1)
            whole = dt.tensor_scatter_update(
                dt.reshape(past, [count, length, size]), indices, dt.reshape(rows, [count, steps, size])
            )
            result.append(dt.reshape(whole, [batch, heads, length, size]))
        return result[0], result[1]

    def _by_head(self, x: Tensor, heads: int) -> Tensor:
        """Return ``[batch, steps, heads * size]`` as ``[batch, heads, steps, size]``."""
        batch, steps, _ = x.shape.dims
        return dt.transpose(dt.reshape(x, [batch, steps, heads, self.size]), [0, 2, 1, 3])

    def _attend_in_groups(
        self, queries: Tensor, keys: Tensor, values: Tensor, allowed: Tensor | None, causal: bool, training: Training
    ) -> Tensor:
        """Attend, with an axis more where several heads of queries share one of keys."""
        if self.groups == self.heads:
            return self._attend(queries, keys, values, allowed, causal, training)
        batch, _, steps, _ = queries.shape.dims
        share = self.heads // self.groups
        if allowed is not None:
            one, heads, *rest = allowed.shape.dims
            split = [1, 1] if heads == 1 else [self.groups, share]
            allowed = dt.reshape(allowed, [one, *split, *rest])
        grouped = dt.reshape(queries, [batch, self.groups, share, steps, self.size])
        means = self._attend(grouped, dt.expand_dims(keys, 2), dt.expand_dims(values, 2), allowed, causal, training)
        return dt.reshape(means, [batch, self.heads, steps, self.size])

    def _attend(
        self, queries: Tensor, keys: Tensor, values: Tensor, allowed: Tensor | None, causal: bool, training: Training
    ) -> Tensor:
        scale = self.size**-0.5
        if not self.dropout or training is False:
            return scaled_dot_product_attention(queries, keys, values, allowed, causal, scale)
        weights = attention_weights(queries, keys, allowed, scale, causal)
        kept: Tensor = smart_cond(training, lambda: dropout(weights, rate=self.dropout), lambda: weights)
        return dt.matmul(kept, values)


def _product(x: Tensor, kernel: dt.Variable, bias: dt.Variable | None) -> Tensor:
    result: Tensor = dt.tensordot(x, kernel, 1)
    return result if bias is None else bias_add(result, bias)


def _by_query(mask: Tensor) -> Tensor:
    """Return a mask that broadcasts to ``[batch, heads, queries, keys]``."""
    if mask.shape.rank == 2:
        return dt.expand_dims(dt.expand_dims(mask, 1), 1)
    if mask.shape.rank == 3:
        return dt.expand_dims(mask, 1)
    if mask.shape.rank == 4:
        return mask
    raise ShapeError(
        f"multi_head_attention: mask is {mask.type}; its axes should be batch and keys, or batch, queries and keys, or "
        f"batch, heads, queries and keys."
    )

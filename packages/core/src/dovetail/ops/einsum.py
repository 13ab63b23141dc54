"""``einsum``: sums of products, written as subscripts; made of transpositions, products of matrices and sums."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias, final

import numpy as np

from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Sample
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import register
from dovetail.ops.arrays import reshape, transpose
from dovetail.ops.composites import CompositeOp
from dovetail.ops.diagonals import matrix_diag_part
from dovetail.ops.linear import MatMul, arranged, check_dtypes
from dovetail.ops.operands import convert_operands
from dovetail.ops.reductions import reduce_sum
from dovetail.types.dims import Dim, product
from dovetail.types.shapes import TensorType, broadcast_dim, unify

__all__ = ["Einsum", "einsum"]

_TERM: Final = re.compile(r"[A-Za-z]*(?:\.\.\.)?[A-Za-z]*")

Labels: TypeAlias = tuple[str, ...]
"""A name for each axis: a letter; or, for those of an ellipsis, a dot and the place among them from the right."""


@register
@final
class Einsum(CompositeOp):
    """Sums of products, by an equation such as ``"ij,jk->ik"``."""

    equation: str

    def decomposition(self, *tensors: Tensor) -> Tensor:
        """Take in one input after the other, and sum over an axis as soon as nothing else needs it."""
        types = [tensor.type for tensor in tensors]
        check_dtypes(f'einsum "{self.equation}"', types)
        terms, output = self._labels(types)
        operands = [_diagonals(tensor, labels) for tensor, labels in zip(tensors, terms, strict=True)]
        result, labels = operands[0]
        for index, (tensor, others) in enumerate(operands[1:], 1):
            needed = {*output, *(label for _, later in operands[index + 1 :] for label in later)}
            result, labels = _summed(result, labels, needed | set(others))
            tensor, others = _summed(tensor, others, needed | set(labels))
            result, labels = _product(result, labels, tensor, others, needed)
        result, labels = _summed(result, labels, set(output))
        order = [labels.index(label) for label in output]
        return transpose(result, order) if order != sorted(order) else result

    def _labels(self, types: Sequence[TensorType]) -> tuple[list[Labels], Labels]:
        """Name every axis, and make sure that axes of one name have one size.

        Raises:
            ShapeError: a rank or a size does not fit.
        """
        inputs, output = self.equation.split("->")
        terms = inputs.split(",")
        if len(terms) != len(types):
            raise ShapeError(
                f'einsum "{self.equation}": the equation names {len(terms)} inputs, but {len(types)} were given.'
            )
        found = []
        sizes: dict[str, Dim] = {}
        for index, (term, kind) in enumerate(zip(terms, types, strict=True)):
            labels = self._expand(term, kind, index)
            found.append(labels)
            for label, dim in zip(labels, kind.dims, strict=True):
                message = (
                    f'einsum "{self.equation}": input {index} is {kind}, whose axis {label!r} does not fit the size '
                    f"{sizes.get(label)} that another has. Axes of one name must be equal."
                )
                meet = broadcast_dim if label.startswith(".") else unify
                sizes[label] = meet(sizes[label], dim, message) if label in sizes else dim
        dots = sorted((label for label in sizes if label.startswith(".")), key=lambda label: -int(label[1:]))
        before, ellipsis, after = output.partition("...")
        if dots and not ellipsis:
            raise ShapeError(
                f'einsum "{self.equation}": the ellipsis stands for {len(dots)} axes, which the output lacks. '
                f'Write "..." in it, or name the axes to sum over.'
            )
        return found, (*before, *dots, *after)

    def _expand(self, term: str, kind: TensorType, index: int) -> Labels:
        before, ellipsis, after = term.partition("...")
        rest = len(kind.dims) - len(before) - len(after)
        if rest < 0 or (rest and not ellipsis):
            raise ShapeError(
                f'einsum "{self.equation}": "{term}" names {len(before) + len(after)} axes, but input {index} is '
                f'{kind}. Name each axis, or write "..." for those before them.'
            )
        return (*before, *(f".{place}" for place in range(rest - 1, -1, -1)), *after)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Products, sums, transpositions, diagonals, an ellipsis that broadcasts, three inputs."""
        for equation, *shapes in (
            ("ij,jk->ik", (2, 3), (3, 4)),
            ("bij,bkj->bik", (2, 2, 3), (2, 4, 3)),
            ("ij->ji", (2, 3)),
            ("ijk->j", (2, 3, 2)),
            ("ij,ij->", (2, 3), (2, 3)),
            ("i,j->ij", (2,), (3,)),
            ("ij,j->ij", (2, 3), (3,)),
            ("ii->i", (3, 3)),
            ("iji,k->j", (2, 3, 2), (2,)),
            ("...ij,...jk->...ik", (2, 1, 2, 3), (3, 3, 2)),
            ("i...->...", (2, 3, 2)),
            ("ij,jk,kl->il", (2, 2), (2, 3), (3, 2)),
        ):
            yield Sample(cls(equation), *(rng.normal(size=shape) for shape in shapes))


def _diagonals(x: Tensor, labels: Labels) -> tuple[Tensor, Labels]:
    """Keep, of axes that share a name, the elements at which their indices agree."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            kept = [axis for axis in range(len(labels)) if axis not in (first, second)]
            x = matrix_diag_part(transpose(x, [*kept, first, second]))
            labels = (*(labels[axis] for axis in kept), label)
    return x, labels


def _summed(x: Tensor, labels: Labels, needed: set[str]) -> tuple[Tensor, Labels]:
    axes = [axis for axis, label in enumerate(labels) if label not in needed]
    if not axes:
        return x, labels
    return reduce_sum(x, axes), tuple([label for label in labels if label in needed])


def _product(a: Tensor, of_a: Labels, b: Tensor, of_b: Labels, needed: set[str]) -> tuple[Tensor, Labels]:
    """Multiply two tensors and sum over the names that both have and nothing else needs."""
    both = [label for label in of_a if label in of_b and label in needed]
    inner = [label for label in of_a if label in of_b and label not in needed]
    rows = [label for label in of_a if label not in of_b]
    columns = [label for label in of_b if label not in of_a]
    labels = (*both, *rows, *columns)
    sizes_a = dict(zip(of_a, a.shape, strict=True))
    sizes_b = dict(zip(of_b, b.shape, strict=True))
    if not inner:
        left = _aligned(a, of_a, [*both, *rows], len(columns))
        right = _aligned(b, of_b, [*both, *columns], 0, after=len(both), ones=len(rows))
        return left * right, labels
    batch_a = [sizes_a[label] for label in both]
    batch_b = [sizes_b[label] for label in both]
    length = product(sizes_a[label] for label in inner)
    height, width = product(sizes_a[label] for label in rows), product(sizes_b[label] for label in columns)
    left = arranged(a, _order(of_a, [*both, *rows, *inner]), (*batch_a, height, length))
    right = arranged(b, _order(of_b, [*both, *inner, *columns]), (*batch_b, length, width))
    result: Tensor = MatMul()(left, right)
    shape = (*result.shape.dims[:-2], *(sizes_a[label] for label in rows), *(sizes_b[label] for label in columns))
    return result if result.shape == shape else reshape(result, shape), labels


def _order(labels: Labels, wanted: Sequence[str]) -> list[int]:
    return [labels.index(label) for label in wanted]


def _aligned(x: Tensor, labels: Labels, wanted: Sequence[str], at_end: int, *, after: int = 0, ones: int = 0) -> Tensor:
    """Put the axes in order, with axes of size 1 in between, after ``after`` of them, and at the end."""
    sizes = dict(zip(labels, x.shape, strict=True))
    dims = [sizes[label] for label in wanted]
    return arranged(x, _order(labels, wanted), (*dims[:after], *(1,) * ones, *dims[after:], *(1,) * at_end))


def einsum(equation: str, *inputs: Any, name: str | None = None) -> Tensor:
    """Return sums of products that subscripts describe, as ``numpy.einsum`` does.

    Args:
        equation: a letter for each axis of each input, inputs separated by commas, and after ``->`` the axes of the
            output; an axis that the output lacks is summed over, one that an input names twice gives its diagonal.
            ``...`` stands for any number of axes, which broadcast. Without ``->`` the output has the letters that occur
            once, in alphabetic order, after the axes of ``...``.
        inputs: tensors of one dtype. They are multiplied from the first to the last: order them so that this is cheap.
        name: name of the node.

    Returns:
        A tensor with the axes that the output names.

    Raises:
        InvalidArgumentError: the equation has another form.
        ShapeError: ranks or sizes do not fit it.
        DTypeError: the dtypes differ.

    Example:
        >>> dt.einsum("bij,bjk->bik", dt.zeros([8, 2, 3]), dt.zeros([8, 3, 4])).shape
        Shape([8, 2, 4])
    """
    if len(inputs) == 1 and isinstance(inputs[0], list | tuple):
        inputs = tuple(inputs[0])
    graph = get_default_graph()
    op = Einsum(_canonical(equation, len(inputs)))
    source = graph.current_source()
    full_name = graph.unique_name(name or op.default_name())
    parameters = [f"input_{index}" for index in range(len(inputs))]
    tensors = convert_operands("einsum", parameters, inputs, full_name, source)
    return graph.create(op, tensors, name=f"{full_name}/", source=source).outputs[0]


def _canonical(equation: str, count: int) -> str:
    """Return the equation without spaces and with its output.

    Raises:
        InvalidArgumentError: it has another form.
    """
    if not isinstance(equation, str):
        raise InvalidArgumentError(f'einsum: the equation is {equation!r}. Write text such as "ij,jk->ik" first.')
    text = equation.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    for term in (*terms, output):
        if not _TERM.fullmatch(term):
            raise InvalidArgumentError(
                f'einsum "{equation}": {term!r} is not a list of axes. Write letters, and "..." once at most.'
            )
    if len(terms) != count:
        raise InvalidArgumentError(
            f'einsum "{equation}": the equation names {len(terms)} inputs, but {count} were given. '
            f"Separate them by commas."
        )
    letters = [letter for letter in inputs if letter.isalpha()]
    if not arrow:
        once = sorted(letter for letter in set(letters) if letters.count(letter) == 1)
        output = ("..." if "..." in inputs else "") + "".join(once)
    for letter in output.replace(".", ""):
        if output.count(letter) > 1 or letter not in letters:
            problem = "twice" if output.count(letter) > 1 else "that no input has"
            raise InvalidArgumentError(
                f'einsum "{equation}": the output names the axis {letter!r} {problem}. Name another.'
            )
    if "..." in output and "..." not in inputs:
        raise InvalidArgumentError(f'einsum "{equation}": the output has an ellipsis that no input has. Leave it out.')
    return f"{inputs}->{output}"

"""``non_max_suppression``: of boxes that overlap, the one with the best score."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, ShapeError

__all__ = ["non_max_suppression"]


def _overlaps(boxes: Tensor) -> Tensor:
    """Return, for each pair of boxes, how much of what both cover both share."""
    top = dt.minimum(boxes[:, 0], boxes[:, 2])
    left = dt.minimum(boxes[:, 1], boxes[:, 3])
    bottom = dt.maximum(boxes[:, 0], boxes[:, 2])
    right = dt.maximum(boxes[:, 1], boxes[:, 3])
    area = (bottom - top) * (right - left)

    def pairs(join: Any, x: Tensor) -> Tensor:
        result: Tensor = join(dt.expand_dims(x, 0), dt.expand_dims(x, 1))
        return result

    height = dt.maximum(pairs(dt.minimum, bottom) - pairs(dt.maximum, top), 0.0)
    width = dt.maximum(pairs(dt.minimum, right) - pairs(dt.maximum, left), 0.0)
    shared = height * width
    positive = dt.logical_and(dt.expand_dims(area, 0) > 0.0, dt.expand_dims(area, 1) > 0.0)
    return dt.select(positive, dt.div_no_nan(shared, pairs(dt.add, area) - shared), shared * 0.0)


def non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: float = 0.5,
    score_threshold: float = float("-inf"),
    name: str | None = None,
) -> Tensor:
    """Return the boxes that are left when each takes away those of lower scores that overlap it too much.

    Args:
        boxes: floating, of shape ``[boxes, 4]``: top, left, bottom and right, or other corners that lie opposite.
        scores: of the same dtype and shape ``[boxes]``.
        max_output_size: how many to return at most.
        iou_threshold: how much of what two boxes cover they may share.
        score_threshold: boxes whose scores are not above are left out.
        name: name of the scope.

    Returns:
        Their indices, int32, best scores first; only a run knows how many.

    Raises:
        ShapeError: the boxes or scores have another shape.
        InvalidArgumentError: ``iou_threshold`` is not from 0 to 1.

    Example:
        >>> boxes = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.9], [2.0, 2.0, 3.0, 3.0]]
        >>> dt.Session().run(dt.image.non_max_suppression(boxes, [0.5, 0.9, 0.3], 5))
        array([1, 2], dtype=int32)
    """
    corners, ranks = dt.convert_to_tensor(boxes), dt.convert_to_tensor(scores)
    if corners.shape.rank != 2 or ranks.shape.rank != 1 or corners.shape[1] != 4:
        raise ShapeError(
            f"non_max_suppression: boxes are {corners.type} and scores {ranks.type}; give [boxes, 4] and [boxes]."
        )
    if not 0.0 <= iou_threshold <= 1.0:
        raise InvalidArgumentError(f"non_max_suppression: iou_threshold is {iou_threshold}; give one from 0 to 1.")
    with dt.name_scope(name or "non_max_suppression"):
        order = dt.argsort(-ranks, stable=True)
        ordered = dt.gather(corners, order)
        excessive = _overlaps(ordered) > iou_threshold
        eligible = dt.gather(ranks, order) > score_threshold
        places = dt.range(dt.shape(order)[0])

        def decide(kept: Tensor, at: tuple[Tensor, Tensor]) -> Tensor:
            place, overlapped = at
            taken = dt.reduce_any(dt.logical_and(kept, dt.logical_and(overlapped, places < place)))
            here = dt.logical_and(dt.equal(places, place), dt.logical_and(eligible, dt.logical_not(taken)))
            return dt.logical_or(kept, here)

        kept = dt.foldl(decide, (places, excessive), initializer=dt.zeros_like(eligible))
        return dt.boolean_mask(dt.cast(order, dt.int32), kept)[:max_output_size]

"""``dt.testing``: what tests of operations, layers and losses need."""

from dovetail.testing.gradients import assert_gradients

__all__ = ["assert_gradients"]

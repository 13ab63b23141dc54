"""What a graph remembers of a layer that was called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from dovetail.graph.operation import Operation, Tensor

__all__ = ["LayerCall"]


@final
class LayerCall:
    """One call of a layer: who provides it, its configuration, and what it made.

    Attributes:
        name: the layer's scope in the graph.
        layer: the name under which the class is registered, such as ``"dense"``.
        distribution: the distribution that provides the class, such as ``"dovetail-layers"``.
        qualified_class: ``module:Class``.
        config: JSON-able configuration that makes the same layer again.
        inputs, outputs: tensors.
        weights: names of its variables and those of its sub-layers, in the order of creation.
        updates: operations that renew its non-trainable weights when the network is trained.
        parent: the call around it, if it is a sub-layer's.
        training: whether the call was made for training: true, false, or the name of the flag's tensor.
    """

    __slots__ = (
        "config",
        "distribution",
        "inputs",
        "layer",
        "name",
        "outputs",
        "parent",
        "qualified_class",
        "training",
        "updates",
        "weights",
    )

    def __init__(
        self,
        name: str,
        layer: str,
        distribution: str,
        qualified_class: str,
        config: dict[str, Any],
        inputs: tuple[Tensor, ...],
        parent: LayerCall | None = None,
        training: bool | str = False,
    ) -> None:
        """Begin a record; outputs and weights are added when the call is done."""
        self.name = name
        self.layer = layer
        self.distribution = distribution
        self.qualified_class = qualified_class
        self.config = config
        self.inputs = inputs
        self.parent = parent
        self.training = training
        self.outputs: tuple[Tensor, ...] = ()
        self.weights: tuple[str, ...] = ()
        self.updates: tuple[Operation, ...] = ()

    def operations(self) -> list[Operation]:
        """Return the operations that the call made, those of its sub-layers included."""
        if not self.outputs:
            return []
        return [op for op in self.outputs[0].graph.get_operations() if self.contains(op.layer)]

    def contains(self, call: LayerCall | None) -> bool:
        """Whether ``call`` is this call or lies within it."""
        while call is not None:
            if call is self:
                return True
            call = call.parent
        return False

    def __repr__(self) -> str:
        """Show scope and class."""
        return f"<LayerCall {self.name} {self.layer}>"

"""From graphs to programs, and from programs to what runs."""

from dovetail.compiler import lower_control as lower_control  # it says how control flow is lowered

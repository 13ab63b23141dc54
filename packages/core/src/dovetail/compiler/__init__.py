"""From graphs to programs, and from programs to what runs."""

import dovetail.compiler.lower_control as lower_control  # says how control flow is lowered

"""Element types, dimensions and shapes, and the values that attributes may have."""

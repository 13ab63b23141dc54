"""Measurements, side by side and in one sitting; run by ``make bench``. No test depends on them."""

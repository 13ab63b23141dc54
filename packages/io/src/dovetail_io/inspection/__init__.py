"""What files hold, for the commands ``dovetail inspect``, ``verify`` and ``diff``."""

"""Running schedules: threads, memory, compiled code and its cache."""

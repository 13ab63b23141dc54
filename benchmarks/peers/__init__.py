"""The workloads in other frameworks, each run in an environment of its own, which ``make bench-peers`` sets up."""

"""The ten workloads as Dovetail programs; ``python -m benchmarks.workloads NAME`` runs one in a process of its own."""

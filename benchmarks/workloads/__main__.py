"""Measure one workload in Dovetail; prints one line of JSON (``benchmarks/harness.py``)."""

from __future__ import annotations

import time

_BEGIN = time.perf_counter()
import dovetail as dt  # noqa: E402 -- importing it is measured

IMPORT_SECONDS = time.perf_counter() - _BEGIN

from benchmarks import harness  # noqa: E402
from benchmarks.workloads.catalogue import WORKLOADS, build, stepper  # noqa: E402


def prepare(name: str, mode: str) -> harness.Prepared:
    """Build the graph and give the variables their first values; the step itself is compiled when it first runs."""
    workload = WORKLOADS[name]
    program = build(workload)
    session = dt.Session()
    session.run(dt.global_variables_initializer())

    def facts() -> dict[str, object]:
        return {"gflop": workload.gflop, "backend": ran_on(program.fetches)}

    return harness.Prepared(stepper(session, program), workload.batch_of, workload.batch, facts)


def ran_on(fetches: tuple[object, ...]) -> str:
    """Return the names of the backends that run the step, the busiest first."""
    names = [row.backend for row in dt.explain(list(fetches)).rows]
    return "+".join(sorted(set(names), key=names.count, reverse=True))


if __name__ == "__main__":
    harness.main(prepare, import_seconds=IMPORT_SECONDS)

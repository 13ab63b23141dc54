"""What ``dt.profile`` measured, as TensorBoard takes it."""

from __future__ import annotations

from typing import Any

from dovetail_train.summary.protobufs import protobuf

__all__ = ["run_metadata_of"]


def run_metadata_of(profile: Any) -> Any:
    """Return a message ``RunMetadata`` of a profile: when each node of the graph began and how long it took.

    A kernel that computes several nodes counts for each of them in equal parts.
    """
    stats = protobuf("step_stats")
    device = stats.DeviceStepStats(device="/device:CPU:0")
    for timing in profile.timings:
        names = list(dict.fromkeys(origin.origin.name for origin in timing.origins))
        share = (timing.end_ns - timing.begin_ns) // max(len(names), 1)
        for place, name in enumerate(names):
            begin = timing.begin_ns + place * share
            device.node_stats.append(
                stats.NodeExecStats(
                    node_name=name,
                    timeline_label=timing.label,
                    thread_id=timing.thread,
                    all_start_micros=begin // 1000,
                    op_end_rel_micros=max(share // 1000, 1),
                    all_end_rel_micros=max(share // 1000, 1),
                    all_start_nanos=begin,
                    op_end_rel_nanos=share,
                    all_end_rel_nanos=share,
                )
            )
    return protobuf("config").RunMetadata(step_stats=stats.StepStats(dev_stats=[device]))

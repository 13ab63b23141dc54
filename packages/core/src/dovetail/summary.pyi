# Logs of training.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail_train.summary.file_writer import FileWriter as FileWriter
from dovetail_train.summary.file_writer import FileWriterCache as FileWriterCache
from dovetail_train.summary.histograms import histogram as histogram
from dovetail_train.summary.images import image as image
from dovetail_train.summary.merging import merge as merge
from dovetail_train.summary.merging import merge_all as merge_all
from dovetail_train.summary.protobufs import Event as Event
from dovetail_train.summary.protobufs import HistogramProto as HistogramProto
from dovetail_train.summary.protobufs import LogMessage as LogMessage
from dovetail_train.summary.protobufs import RunMetadata as RunMetadata
from dovetail_train.summary.protobufs import SessionLog as SessionLog
from dovetail_train.summary.protobufs import Summary as Summary
from dovetail_train.summary.protobufs import SummaryDescription as SummaryDescription
from dovetail_train.summary.protobufs import SummaryMetadata as SummaryMetadata
from dovetail_train.summary.protobufs import TaggedRunMetadata as TaggedRunMetadata
from dovetail_train.summary.scalars import scalar as scalar
from dovetail_train.summary.sounds import audio as audio
from dovetail_train.summary.tensors import tensor_summary as tensor_summary
from dovetail_train.summary.tensors import text as text

def __getattr__(name: str) -> _Any: ...  # what other plugins provide

"""Definitions of core's primitive operations, and of the composites that backends and exporters keep whole.

A backend implements them and an exporter converts them, by class: ``from dovetail.extend import definitions``, then
``definitions.MatMul``. Scalar operations need no entry here, for each is made of basis functions (``expressions``).
"""

from dovetail.ops.assertions import Assertion
from dovetail.ops.bitcasting import Bitcast
from dovetail.ops.broadcasting import BroadcastTo, DynamicBroadcastTo
from dovetail.ops.casting import Cast
from dovetail.ops.complex_numbers import Angle, Complex, ComplexAbs, ComplexPow, Conj, Imag, Real
from dovetail.ops.constants import Constant, Dims
from dovetail.ops.control_flow import Cond, Scan, While
from dovetail.ops.convolution import Conv, ConvFilterGrad, ConvInputGrad
from dovetail.ops.edit_distances import EditDistance
from dovetail.ops.fills import DynamicRange, Range
from dovetail.ops.gamma_variates import GammaFromBits, PoissonFromBits, RandomGammaGrad
from dovetail.ops.gather import FlatIndex, Gather, ScatterAdd
from dovetail.ops.gru import GRU, GRUGrad
from dovetail.ops.indexing import Reverse
from dovetail.ops.joining import Concat, Split, Stack, Unstack
from dovetail.ops.linalg.determinants import LogMatrixDeterminant, MatrixDeterminant
from dovetail.ops.linalg.exponential import MatrixExponential
from dovetail.ops.linalg.factorizations import Cholesky, Qr
from dovetail.ops.linalg.solving import MatrixInverse, MatrixSolve, MatrixTriangularSolve
from dovetail.ops.linalg.spectra import SelfAdjointEig, Svd
from dovetail.ops.linear import MatMul
from dovetail.ops.lstm import LSTM, LSTMGrad
from dovetail.ops.masks import MaskIndices
from dovetail.ops.numerics import CheckNumerics
from dovetail.ops.padding import Pad
from dovetail.ops.passing import Identity, StopGradient
from dovetail.ops.pooling import AvgPool, AvgPoolGrad, MaxPool, MaxPoolGather, MaxPoolGrad
from dovetail.ops.positions import ArgMax, ArgMin
from dovetail.ops.printing import Printing
from dovetail.ops.python_functions import PyFunc, PyFuncStateless
from dovetail.ops.random_bits import PhiloxBits
from dovetail.ops.reducing import All, AnyOf, Max, Min, Prod, Sum
from dovetail.ops.reshaping import DynamicReshape, ExpandDims, Reshape, Squeeze, Transpose
from dovetail.ops.running import Cumprod, Cumsum, LinearRecurrence, Shift
from dovetail.ops.running_logs import CumulativeLogsumexp
from dovetail.ops.scattering import ScatterDiv, ScatterMax, ScatterMin, ScatterMul, ScatterUpdate
from dovetail.ops.selection import Select, Where
from dovetail.ops.shapes import RankOf, ShapeOf, SizeOf
from dovetail.ops.signal.transforms import Fft, HalfFft, InverseHalfFft
from dovetail.ops.simple_rnn import SimpleRNN, SimpleRNNGrad
from dovetail.ops.slicing import DynamicSlice, DynamicSliceGrad, StridedSlice, StridedSliceGrad
from dovetail.ops.sorting import ArgSort, SearchSorted, TopK, Unique
from dovetail.ops.special.incomplete import Betainc, Igamma, Igammac, IgammaGradA
from dovetail.ops.state import Placeholder
from dovetail.ops.strings.numbers import AsString, ReduceJoin, StringToNumber
from dovetail.ops.strings.splitting import StringSplit
from dovetail.ops.strings.text import (
    RegexFullMatch,
    RegexReplace,
    StringJoin,
    StringLength,
    StringLower,
    StringStrip,
    StringUpper,
    Substr,
)
from dovetail.ops.tensor_array import ArrayBuffer
from dovetail.ops.variates import NormalFromBits, UniformFromBits

__all__ = [
    "All",
    "Angle",
    "AnyOf",
    "ArgMax",
    "ArgMin",
    "ArgSort",
    "ArrayBuffer",
    "AsString",
    "Assertion",
    "AvgPool",
    "AvgPoolGrad",
    "Betainc",
    "Bitcast",
    "BroadcastTo",
    "COMPUTED_BY_NUMPY",
    "Cast",
    "CheckNumerics",
    "Cholesky",
    "Complex",
    "ComplexAbs",
    "ComplexPow",
    "Concat",
    "Cond",
    "Conj",
    "Constant",
    "Conv",
    "ConvFilterGrad",
    "ConvInputGrad",
    "Cumprod",
    "Cumsum",
    "CumulativeLogsumexp",
    "Dims",
    "DynamicBroadcastTo",
    "DynamicRange",
    "DynamicReshape",
    "DynamicSlice",
    "DynamicSliceGrad",
    "EditDistance",
    "ExpandDims",
    "Fft",
    "FlatIndex",
    "GRU",
    "GRUGrad",
    "GammaFromBits",
    "Gather",
    "HalfFft",
    "Identity",
    "Igamma",
    "IgammaGradA",
    "Igammac",
    "Imag",
    "InverseHalfFft",
    "LSTM",
    "LSTMGrad",
    "LinearRecurrence",
    "LogMatrixDeterminant",
    "MaskIndices",
    "MatMul",
    "MatrixDeterminant",
    "MatrixExponential",
    "MatrixInverse",
    "MatrixSolve",
    "MatrixTriangularSolve",
    "Max",
    "MaxPool",
    "MaxPoolGather",
    "MaxPoolGrad",
    "Min",
    "NormalFromBits",
    "Pad",
    "PhiloxBits",
    "Placeholder",
    "PoissonFromBits",
    "Printing",
    "Prod",
    "PyFunc",
    "PyFuncStateless",
    "Qr",
    "RandomGammaGrad",
    "Range",
    "RankOf",
    "Real",
    "ReduceJoin",
    "RegexFullMatch",
    "RegexReplace",
    "Reshape",
    "Reverse",
    "Scan",
    "ScatterAdd",
    "ScatterDiv",
    "ScatterMax",
    "ScatterMin",
    "ScatterMul",
    "ScatterUpdate",
    "SearchSorted",
    "Select",
    "SelfAdjointEig",
    "ShapeOf",
    "Shift",
    "SimpleRNN",
    "SimpleRNNGrad",
    "SizeOf",
    "Split",
    "Squeeze",
    "Stack",
    "StopGradient",
    "StridedSlice",
    "StridedSliceGrad",
    "StringJoin",
    "StringLength",
    "StringLower",
    "StringSplit",
    "StringStrip",
    "StringToNumber",
    "StringUpper",
    "Substr",
    "Sum",
    "Svd",
    "TopK",
    "Transpose",
    "UniformFromBits",
    "Unique",
    "Unstack",
    "Where",
    "While",
]

COMPUTED_BY_NUMPY = (
    Angle,
    AsString,
    Betainc,
    Bitcast,
    Cholesky,
    Complex,
    ComplexAbs,
    ComplexPow,
    Conj,
    EditDistance,
    Fft,
    GammaFromBits,
    HalfFft,
    Igamma,
    IgammaGradA,
    Igammac,
    Imag,
    InverseHalfFft,
    LogMatrixDeterminant,
    MatrixDeterminant,
    MatrixExponential,
    MatrixInverse,
    MatrixSolve,
    MatrixTriangularSolve,
    PoissonFromBits,
    Qr,
    RandomGammaGrad,
    Real,
    ReduceJoin,
    RegexFullMatch,
    RegexReplace,
    SelfAdjointEig,
    StringJoin,
    StringLength,
    StringLower,
    StringSplit,
    StringStrip,
    StringToNumber,
    StringUpper,
    Substr,
    Svd,
)
"""What no backend need have kernels for, as no speed is at stake: the reference runs it, what is around it natively."""

# Mathematics, element by element and along axes.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail.ops.arithmetic import abs as abs
from dovetail.ops.arithmetic import accumulate_n as accumulate_n
from dovetail.ops.arithmetic import add as add
from dovetail.ops.arithmetic import add_n as add_n
from dovetail.ops.arithmetic import ceil as ceil
from dovetail.ops.arithmetic import div_no_nan as div_no_nan
from dovetail.ops.arithmetic import divide as divide
from dovetail.ops.arithmetic import floor as floor
from dovetail.ops.arithmetic import floor_div as floor_div
from dovetail.ops.arithmetic import floormod as floormod
from dovetail.ops.arithmetic import maximum as maximum
from dovetail.ops.arithmetic import minimum as minimum
from dovetail.ops.arithmetic import multiply as multiply
from dovetail.ops.arithmetic import negative as negative
from dovetail.ops.arithmetic import pow as pow
from dovetail.ops.arithmetic import reciprocal as reciprocal
from dovetail.ops.arithmetic import round as round
from dovetail.ops.arithmetic import sign as sign
from dovetail.ops.arithmetic import square as square
from dovetail.ops.arithmetic import squared_difference as squared_difference
from dovetail.ops.arithmetic import subtract as subtract
from dovetail.ops.arithmetic import truediv as truediv
from dovetail.ops.comparison import equal as equal
from dovetail.ops.comparison import greater as greater
from dovetail.ops.comparison import greater_equal as greater_equal
from dovetail.ops.comparison import is_finite as is_finite
from dovetail.ops.comparison import is_inf as is_inf
from dovetail.ops.comparison import is_nan as is_nan
from dovetail.ops.comparison import less as less
from dovetail.ops.comparison import less_equal as less_equal
from dovetail.ops.comparison import logical_and as logical_and
from dovetail.ops.comparison import logical_not as logical_not
from dovetail.ops.comparison import logical_or as logical_or
from dovetail.ops.comparison import logical_xor as logical_xor
from dovetail.ops.comparison import not_equal as not_equal
from dovetail.ops.elementary import acos as acos
from dovetail.ops.elementary import acosh as acosh
from dovetail.ops.elementary import asin as asin
from dovetail.ops.elementary import asinh as asinh
from dovetail.ops.elementary import atan as atan
from dovetail.ops.elementary import atan2 as atan2
from dovetail.ops.elementary import atanh as atanh
from dovetail.ops.elementary import cos as cos
from dovetail.ops.elementary import cosh as cosh
from dovetail.ops.elementary import digamma as digamma
from dovetail.ops.elementary import erf as erf
from dovetail.ops.elementary import erfc as erfc
from dovetail.ops.elementary import exp as exp
from dovetail.ops.elementary import expm1 as expm1
from dovetail.ops.elementary import lgamma as lgamma
from dovetail.ops.elementary import log as log
from dovetail.ops.elementary import log1p as log1p
from dovetail.ops.elementary import rsqrt as rsqrt
from dovetail.ops.elementary import sigmoid as sigmoid
from dovetail.ops.elementary import sin as sin
from dovetail.ops.elementary import sinh as sinh
from dovetail.ops.elementary import sqrt as sqrt
from dovetail.ops.elementary import tan as tan
from dovetail.ops.elementary import tanh as tanh
from dovetail.ops.positions import argmax as argmax
from dovetail.ops.positions import argmin as argmin
from dovetail.ops.reducing import reduce_all as reduce_all
from dovetail.ops.reducing import reduce_any as reduce_any
from dovetail.ops.reducing import reduce_max as reduce_max
from dovetail.ops.reducing import reduce_min as reduce_min
from dovetail.ops.reducing import reduce_prod as reduce_prod
from dovetail.ops.reducing import reduce_sum as reduce_sum
from dovetail.ops.running import cumprod as cumprod
from dovetail.ops.running import cumsum as cumsum
from dovetail.ops.special.bessel import bessel_i0 as bessel_i0
from dovetail.ops.special.bessel import bessel_i0e as bessel_i0e
from dovetail.ops.special.bessel import bessel_i1 as bessel_i1
from dovetail.ops.special.bessel import bessel_i1e as bessel_i1e
from dovetail.ops.special.incomplete import betainc as betainc
from dovetail.ops.special.incomplete import igamma as igamma
from dovetail.ops.special.incomplete import igammac as igammac
from dovetail.ops.special.products import lbeta as lbeta
from dovetail.ops.special.products import xdivy as xdivy
from dovetail.ops.special.products import xlog1py as xlog1py
from dovetail.ops.special.products import xlogy as xlogy
from dovetail.ops.special.quantiles import erfinv as erfinv
from dovetail.ops.special.quantiles import ndtri as ndtri
from dovetail.ops.special.zeta import polygamma as polygamma
from dovetail.ops.special.zeta import zeta as zeta
from dovetail.ops.statistics import count_nonzero as count_nonzero
from dovetail.ops.statistics import reduce_euclidean_norm as reduce_euclidean_norm
from dovetail.ops.statistics import reduce_logsumexp as reduce_logsumexp
from dovetail.ops.statistics import reduce_mean as reduce_mean
from dovetail.ops.statistics import reduce_std as reduce_std
from dovetail.ops.statistics import reduce_variance as reduce_variance

divide_no_nan = div_no_nan
floordiv = floor_div
mod = floormod
rint = round

def __getattr__(name: str) -> _Any: ...  # what other plugins provide

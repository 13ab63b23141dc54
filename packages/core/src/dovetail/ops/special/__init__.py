"""Special functions: the names of the modules that hold them, in one place."""

from dovetail.ops.special.bessel import bessel_i0, bessel_i0e, bessel_i1, bessel_i1e
from dovetail.ops.special.incomplete import betainc, igamma, igammac
from dovetail.ops.special.polynomials import polyval
from dovetail.ops.special.products import lbeta, multiply_no_nan, reciprocal_no_nan, xdivy, xlog1py, xlogy
from dovetail.ops.special.quantiles import erfcinv, erfinv, ndtri
from dovetail.ops.special.zeta import polygamma, zeta

__all__ = [
    "bessel_i0",
    "bessel_i0e",
    "bessel_i1",
    "bessel_i1e",
    "betainc",
    "erfcinv",
    "erfinv",
    "igamma",
    "igammac",
    "lbeta",
    "multiply_no_nan",
    "ndtri",
    "polygamma",
    "polyval",
    "reciprocal_no_nan",
    "xdivy",
    "xlog1py",
    "xlogy",
    "zeta",
]

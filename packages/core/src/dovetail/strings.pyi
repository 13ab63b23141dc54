# Text: joining, changing, cutting.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail.ops.strings.numbers import as_string as as_string
from dovetail.ops.strings.numbers import reduce_join as reduce_join
from dovetail.ops.strings.numbers import string_to_number as string_to_number
from dovetail.ops.strings.splitting import split as split
from dovetail.ops.strings.text import join as join
from dovetail.ops.strings.text import length as length
from dovetail.ops.strings.text import lower as lower
from dovetail.ops.strings.text import regex_full_match as regex_full_match
from dovetail.ops.strings.text import regex_replace as regex_replace
from dovetail.ops.strings.text import string_strip as string_strip
from dovetail.ops.strings.text import substr as substr
from dovetail.ops.strings.text import upper as upper

strip = string_strip
to_number = string_to_number

def __getattr__(name: str) -> _Any: ...  # what other plugins provide

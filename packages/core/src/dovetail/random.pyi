# Random numbers.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail.ops.gamma_variates import random_gamma as random_gamma
from dovetail.ops.gamma_variates import random_poisson as random_poisson
from dovetail.ops.random import categorical as categorical
from dovetail.ops.random import multinomial as multinomial
from dovetail.ops.random import random_normal as random_normal
from dovetail.ops.random import random_shuffle as random_shuffle
from dovetail.ops.random import random_uniform as random_uniform
from dovetail.ops.random import set_random_seed as set_random_seed
from dovetail.ops.random import truncated_normal as truncated_normal
from dovetail.ops.stateless_random import stateless_multinomial as stateless_multinomial
from dovetail.ops.stateless_random import stateless_random_normal as stateless_random_normal
from dovetail.ops.stateless_random import stateless_random_uniform as stateless_random_uniform
from dovetail.ops.stateless_random import stateless_truncated_normal as stateless_truncated_normal
from dovetail_layers.candidate_sampling import all_candidate_sampler as all_candidate_sampler
from dovetail_layers.candidate_sampling import fixed_unigram_candidate_sampler as fixed_unigram_candidate_sampler
from dovetail_layers.candidate_sampling import learned_unigram_candidate_sampler as learned_unigram_candidate_sampler
from dovetail_layers.candidate_sampling import log_uniform_candidate_sampler as log_uniform_candidate_sampler
from dovetail_layers.candidate_sampling import uniform_candidate_sampler as uniform_candidate_sampler

gamma = random_gamma
normal = random_normal
poisson = random_poisson
shuffle = random_shuffle
stateless_categorical = stateless_multinomial
stateless_normal = stateless_random_normal
stateless_uniform = stateless_random_uniform
uniform = random_uniform

def __getattr__(name: str) -> _Any: ...  # what other plugins provide

"""Learning rates as functions of the step."""

import numpy as np

import dovetail as tf

step = tf.placeholder(tf.int32, [])
rates = {
    "exponential": tf.train.exponential_decay(0.1, step, 10, 0.5),
    "staircase": tf.train.exponential_decay(0.1, step, 10, 0.5, staircase=True),
    "piecewise": tf.train.piecewise_constant(step, [5, 15], [0.1, 0.05, 0.01]),
    "piecewise_decay": tf.train.piecewise_constant_decay(step, [5, 15], [1.0, 0.5, 0.1]),
    "polynomial": tf.train.polynomial_decay(0.1, step, 20, 0.01, power=2.0),
    "cycle": tf.train.polynomial_decay(0.1, step, 7, 0.01, power=1.0, cycle=True),
    "natural": tf.train.natural_exp_decay(0.1, step, 10, 0.5),
    "inverse": tf.train.inverse_time_decay(0.1, step, 10, 0.5),
    "inverse_staircase": tf.train.inverse_time_decay(0.1, step, 10, 0.5, staircase=True),
    "cosine": tf.train.cosine_decay(0.1, step, 20, alpha=0.1),
    "restarts": tf.train.cosine_decay_restarts(0.1, step, 6, t_mul=2.0, m_mul=0.9, alpha=0.05),
    "linear_cosine": tf.train.linear_cosine_decay(0.1, step, 20, num_periods=0.5, alpha=0.0, beta=0.01),
}
with tf.Session() as sess:
    table = [sess.run(rates, {step: number}) for number in range(1, 26, 3)]
found = {name: np.array([row[name] for row in table]) for name in rates}

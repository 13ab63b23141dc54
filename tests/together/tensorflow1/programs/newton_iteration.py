"""tf.while_loop: square roots by Newton's iteration with a gradient through the loop, and the Collatz conjecture."""

import numpy as np

import dovetail as tf

x = tf.placeholder(tf.float32, [3])


def cond(i, guess):
    return tf.less(i, 6)


def body(i, guess):
    return i + 1, 0.5 * (guess + x / guess)


_, root = tf.while_loop(cond, body, [tf.constant(0), tf.ones_like(x)])
(slope,) = tf.gradients(root, [x])

n = tf.placeholder(tf.int32, [])
_, steps, largest = tf.while_loop(
    lambda m, steps, largest: m > 1,
    lambda m, steps, largest: (
        tf.cond(tf.equal(m % 2, 0), lambda: m // 2, lambda: 3 * m + 1),
        steps + 1,
        tf.maximum(largest, m),
    ),
    (n, 0, n),
    back_prop=False,
)

# A loop whose result grows: the powers of two below a limit.
limit = tf.constant(100)
_, powers = tf.while_loop(
    lambda power, _: power < limit,
    lambda power, kept: (2 * power, tf.concat([kept, [power]], 0)),
    [tf.constant(1), tf.zeros([0], tf.int32)],
    shape_invariants=[tf.TensorShape([]), tf.TensorShape([None])],
)

with tf.Session() as sess:
    roots, slopes = sess.run([root, slope], {x: [2.0, 9.0, 0.5]})
    found = {
        "roots": roots,
        "slopes": slopes,
        "collatz": [sess.run([steps, largest], {n: start}) for start in (1, 6, 7, 27)],
        "powers": sess.run(powers),
    }
found["collatz"] = np.array(found["collatz"])

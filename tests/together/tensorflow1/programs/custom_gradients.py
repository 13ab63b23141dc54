"""tf.custom_gradient: a gradient that does not overflow, one that is clipped, one that is turned around."""

import numpy as np

import dovetail as tf


@tf.custom_gradient
def log1pexp(x):
    e = tf.exp(x)

    def grad(dy):
        return dy * (1 - 1 / (1 + e))

    return tf.log(1 + e), grad


@tf.custom_gradient
def clipped(x):
    return tf.identity(x), lambda dy: tf.clip_by_value(dy, -0.5, 0.5)


@tf.custom_gradient
def reversed_gradient(x):
    return tf.identity(x), lambda dy: -2.0 * dy


@tf.custom_gradient
def product(x, y):
    return x * y, lambda dy: (dy * y, 0.1 * dy * x)


rng = np.random.default_rng(21)
x = tf.placeholder(tf.float32, [4])
w = tf.Variable(rng.normal(size=(4,)).astype(np.float32))
big = log1pexp(x)
loss = tf.reduce_sum(tf.square(clipped(w * x)))
adversarial = tf.reduce_sum(tf.tanh(reversed_gradient(w) * x))
multiplied = tf.reduce_sum(product(x, w) ** 2)
step = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
feed = {x: [100.0, -100.0, 0.0, 1.0]}

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    found = {
        "slope": sess.run(tf.gradients(big, x)[0], feed),
        "second": sess.run(tf.gradients(tf.gradients(log1pexp(x), x)[0], x)[0], {x: [0.0, 1.0, -2.0, 3.0]}),
        "clipped": sess.run(tf.gradients(loss, w)[0], feed),
        "reversed": sess.run(tf.gradients(adversarial, w)[0], {x: [0.1, -0.2, 0.0, 1.0]}),
        "product": sess.run(tf.gradients(multiplied, [x, w])[1], {x: [0.1, -0.2, 0.0, 1.0]}),
        "value": sess.run(multiplied, {x: [0.1, -0.2, 0.0, 1.0]}),
    }
    sess.run(step, feed)
    found["w"] = sess.run(w)

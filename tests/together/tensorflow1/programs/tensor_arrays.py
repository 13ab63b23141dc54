"""tf.TensorArray: results that a loop collects, rows that it takes, a gradient through both."""

import numpy as np

import dovetail as tf

x = tf.placeholder(tf.float32, [4, 3])
w = tf.Variable(np.array([0.5, -0.5, 1.0], np.float32))
inputs = tf.TensorArray(tf.float32, size=4).unstack(x)
collected = tf.TensorArray(tf.float32, size=4)


def body(i, state, array):
    state = tf.tanh(inputs.read(i) * w + state)
    return i + 1, state, array.write(i, state)


_, last, collected = tf.while_loop(lambda i, *_: i < 4, body, [0, tf.zeros([3]), collected])
states = collected.stack()
gradient = tf.gradients(tf.reduce_sum(states), [x, w])

squares = tf.TensorArray(tf.int32, size=6)
_, squares = tf.while_loop(lambda i, _: i * i < 30, lambda i, array: (i + 1, array.write(i, i * i)), [0, squares])
scattered = tf.TensorArray(tf.float32, size=4).scatter([3, 0, 2, 1], x)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    rows = np.random.default_rng(24).normal(size=(4, 3))
    found = {
        "states": sess.run(states, {x: rows}),
        "last": sess.run(last, {x: rows}),
        "gradient_x": sess.run(gradient[0], {x: rows}),
        "gradient_w": sess.run(gradient[1], {x: rows}),
        "squares": sess.run(squares.stack()),
        "size": sess.run(squares.size()),
        "scattered": sess.run(scattered.gather([0, 1]), {x: rows}),
        "joined": sess.run(tf.reshape(scattered.stack(), [-1]), {x: rows}),
    }

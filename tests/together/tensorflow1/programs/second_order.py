"""Gradients of gradients: Newton's method with tf.hessians, and a penalty on the length of a gradient."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(15)
w = tf.Variable(np.array([-1.2, 1.0]), name="w")
rosenbrock = 100.0 * tf.square(w[1] - tf.square(w[0])) + tf.square(1.0 - w[0])
gradient = tf.gradients(rosenbrock, w)[0]
hessian = tf.hessians(rosenbrock, w)[0]
a, b, d = hessian[0, 0], hessian[0, 1], hessian[1, 1]
inverse = tf.stack([tf.stack([d, -b]), tf.stack([-b, a])]) / (a * d - b * b)
newton = w.assign_sub(tf.squeeze(tf.matmul(inverse, tf.expand_dims(gradient, 1)), 1))

x = tf.placeholder(tf.float32, [None, 3])
v = tf.Variable(rng.normal(size=(3, 2)).astype(np.float32))
scores = tf.reduce_sum(tf.tanh(tf.matmul(x, v)), 1)
slopes = tf.sqrt(tf.reduce_sum(tf.square(tf.gradients(scores, x)[0]), 1))
penalty = tf.reduce_mean(tf.square(slopes - 1.0))
train = tf.train.AdamOptimizer(0.05).minimize(penalty, var_list=[v])
third = tf.gradients(tf.gradients(tf.gradients(tf.pow(w, 4.0), w)[0], w)[0], w)[0]

data = rng.normal(size=(16, 3)).astype(np.float32)
values, penalties = [], []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    first = sess.run([gradient, hessian, third])
    for _ in range(6):
        sess.run(newton)
        values.append(sess.run(w))
    for _ in range(6):
        penalties.append(sess.run([penalty, train], {x: data})[0])
    found = {
        "gradient": first[0],
        "hessian": first[1],
        "third": first[2],
        "values": values,
        "penalties": penalties,
        "v": sess.run(v),
    }

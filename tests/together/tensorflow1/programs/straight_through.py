"""tf.stop_gradient: a straight-through estimator, a target that is not trained, and a detached baseline."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(12)
x = tf.placeholder(tf.float32, [None, 5])
W = tf.Variable(rng.normal(size=(5, 3)).astype(np.float32))
soft = tf.sigmoid(tf.matmul(x, W))
hard = tf.round(soft)
binary = soft + tf.stop_gradient(hard - soft)
loss = tf.reduce_mean(tf.square(tf.reduce_sum(binary, 1) - 1.0))
through, nothing = tf.gradients(loss, [W, hard])

v = tf.Variable(2.0)
target = tf.stop_gradient(v * 3.0)
bootstrap = tf.gradients(tf.square(target - v * v), v)[0]
blocked = tf.gradients(tf.stop_gradient(v) * 2.0, v)[0]
kept = tf.gradients(v * v * v, v, stop_gradients=[v])[0]

step = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
data = rng.normal(size=(20, 5)).astype(np.float32)
losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    gradient = sess.run(through, {x: data})
    for _ in range(5):
        losses.append(sess.run([loss, step], {x: data})[0])
    found = {
        "gradient": gradient,
        "losses": losses,
        "codes": sess.run(binary, {x: data}),
        "bootstrap": sess.run(bootstrap),
        "kept": sess.run(kept),
        "none": [nothing is None, blocked is None],
    }

"""Softmax regression on three clouds of points."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(1)
classes = rng.integers(0, 3, 90)
points = (np.array([[0, 0], [3, 1], [1, 4]])[classes] + rng.normal(size=(90, 2))).astype(np.float32)
one_hot = np.eye(3, dtype=np.float32)[classes]

x = tf.placeholder(tf.float32, [None, 2])
y = tf.placeholder(tf.float32, [None, 3])
W = tf.Variable(tf.zeros([2, 3]))
b = tf.Variable(tf.zeros([3]))
pred = tf.nn.softmax(tf.matmul(x, W) + b)
cost = tf.reduce_mean(-tf.reduce_sum(y * tf.log(pred), reduction_indices=1))
optimizer = tf.train.GradientDescentOptimizer(0.1).minimize(cost)
correct_prediction = tf.equal(tf.argmax(pred, 1), tf.argmax(y, 1))
accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))

costs = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(5):
        for i in range(0, 90, 30):
            _, c = sess.run([optimizer, cost], feed_dict={x: points[i : i + 30], y: one_hot[i : i + 30]})
            costs.append(c)
    found = {
        "costs": costs,
        "weights": sess.run(W),
        "bias": sess.run(b),
        "accuracy": accuracy.eval({x: points, y: one_hot}),
    }

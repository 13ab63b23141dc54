"""A line through points, by gradient descent."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(0)
train_x = rng.uniform(0.0, 10.0, 17).astype(np.float32)
train_y = (0.3 * train_x + 0.8 + rng.normal(0.0, 0.1, 17)).astype(np.float32)

X = tf.placeholder("float")
Y = tf.placeholder("float")
W = tf.Variable(-0.5, name="weight")
b = tf.Variable(0.1, name="bias")
prediction = tf.add(tf.multiply(X, W), b)
cost = tf.reduce_sum(tf.pow(prediction - Y, 2)) / (2 * len(train_x))
optimizer = tf.train.GradientDescentOptimizer(0.01).minimize(cost)
init = tf.global_variables_initializer()

costs = []
with tf.Session() as sess:
    sess.run(init)
    for epoch in range(10):
        for x, y in zip(train_x, train_y, strict=True):
            sess.run(optimizer, feed_dict={X: x, Y: y})
        costs.append(sess.run(cost, feed_dict={X: train_x, Y: train_y}))
    found = {"costs": costs, "weight": sess.run(W), "bias": b.eval()}

"""Nearest neighbours and k-means, without any training."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(14)
centres = np.array([[0, 0], [5, 5], [0, 6]], np.float32)
points = (np.repeat(centres, 10, axis=0) + rng.normal(size=(30, 2))).astype(np.float32)

xtr = tf.placeholder("float", [None, 2])
xte = tf.placeholder("float", [2])
distance = tf.reduce_sum(tf.abs(tf.add(xtr, tf.negative(xte))), reduction_indices=1)
nearest = tf.arg_min(distance, 0)

X = tf.constant(points)
centroids = tf.Variable(tf.slice(tf.gather(X, [0, 1, 25]), [0, 0], [3, 2]))
expanded = tf.expand_dims(X, 0) - tf.expand_dims(centroids, 1)
assignments = tf.argmin(tf.reduce_sum(tf.square(expanded), 2), 0)
means = tf.concat(
    [
        tf.reduce_mean(tf.gather(X, tf.reshape(tf.where(tf.equal(assignments, c)), [1, -1])), reduction_indices=[1])
        for c in range(3)
    ],
    0,
)
update = tf.assign(centroids, means)
cost = tf.reduce_mean(tf.reduce_min(tf.reduce_sum(tf.square(expanded), 2), 0))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    indices = [sess.run(nearest, {xtr: points[:-1], xte: point}) for point in ([0.0, 0.0], [5.0, 5.0], [-1.0, 7.0])]
    costs = []
    for _ in range(5):
        costs.append(sess.run(cost))
        sess.run(update)
    found = {
        "indices": indices,
        "costs": costs,
        "centroids": sess.run(centroids),
        "assignments": sess.run(assignments),
    }

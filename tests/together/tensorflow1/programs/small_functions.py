"""Functions of tf.nn that are no layers: normalization by neighbours, moments in parts, scores among the best."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(20)
images = tf.constant(rng.normal(size=(2, 3, 3, 7)).astype(np.float32))
matrix = tf.constant(rng.normal(1.0, 2.0, (6, 4)).astype(np.float32))
weights = tf.constant(rng.integers(0, 4, (6, 1)).astype(np.float32))
scores = tf.constant([[0.1, 0.7, 0.7, 0.2], [0.4, 0.3, 0.2, 0.1], [1.0, 1.0, 1.0, 1.0], [0.0, np.nan, 1.0, 2.0]])
kernel = tf.constant(rng.normal(size=(4, 3)).astype(np.float32))
bias = tf.constant([0.5, -0.5, 1.0])

statistics = tf.nn.sufficient_statistics(matrix, [0], shift=1.0)
kept = tf.nn.sufficient_statistics(matrix, [0, 1], keep_dims=True)
normalized = tf.nn.lrn(images, depth_radius=2, bias=1.5, alpha=0.3, beta=0.75)
fetches = {
    "lrn": normalized,
    "lrn_default": tf.nn.local_response_normalization(images),
    "lrn_gradient": tf.gradients(normalized, images)[0],
    "in_top_1": tf.nn.in_top_k(scores, [1, 1, 3, 3], 1),
    "in_top_2": tf.nn.in_top_k(scores, [2, 1, 3, 3], 2, name="two"),
    "counts": statistics[0],
    "sums": statistics[1],
    "squares": statistics[2],
    "kept": kept[1],
    "moments": tf.stack(tf.nn.normalize_moments(*statistics)),
    "plain_moments": tf.stack(tf.nn.moments(matrix, [0])),
    "weighted": tf.stack(tf.nn.weighted_moments(matrix, [0], weights)),
    "weighted_kept": tf.stack(tf.nn.weighted_moments(matrix, [0, 1], weights, keep_dims=True)),
    "zeros": tf.nn.zero_fraction(weights),
    "affine": tf.nn.xw_plus_b(matrix, kernel, bias),
    "relu_layer": tf.nn.relu_layer(matrix, kernel, bias),
    "best": tf.nn.top_k(matrix, 2).values,
    "places": tf.nn.top_k(matrix, k=3, sorted=True)[1],
    "l2": tf.nn.l2_loss(matrix),
}
with tf.Session() as sess:
    found = sess.run(fetches)

"""The losses of tf.losses, their weights and reductions."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(27)
x = tf.constant(rng.normal(size=(4, 3)).astype(np.float32))
y = tf.constant(rng.normal(size=(4, 3)).astype(np.float32))
logits = tf.constant(rng.normal(0.0, 2.0, (4, 3)).astype(np.float32))
one_hot = tf.one_hot([0, 2, 1, 1], 3)
probabilities = tf.nn.softmax(logits)
by_row = tf.constant([1.0, 0.0, 2.0, 0.5])
column = tf.constant([[1.0], [0.0], [2.0], [0.5]])

found_tensors = {
    "squared": tf.losses.mean_squared_error(y, x),
    "squared_weighted": tf.losses.mean_squared_error(y, x, weights=column),
    "absolute": tf.losses.absolute_difference(y, x, weights=2.0),
    "huber": tf.losses.huber_loss(y, x, delta=0.7),
    "hinge": tf.losses.hinge_loss(one_hot, logits),
    "log": tf.losses.log_loss(one_hot, probabilities, weights=column),
    "cosine": tf.losses.cosine_distance(tf.nn.l2_normalize(y, 1), tf.nn.l2_normalize(x, 1), axis=1),
    "pairwise": tf.losses.mean_pairwise_squared_error(y, x),
    "sigmoid": tf.losses.sigmoid_cross_entropy(one_hot, logits, label_smoothing=0.1),
    "softmax": tf.losses.softmax_cross_entropy(one_hot, logits, weights=by_row),
    "smoothed": tf.losses.softmax_cross_entropy(one_hot, logits, label_smoothing=0.2),
    "sparse": tf.losses.sparse_softmax_cross_entropy([0, 2, 1, 1], logits, weights=by_row),
    "none": tf.losses.mean_squared_error(y, x, reduction=tf.losses.Reduction.NONE),
    "sum": tf.losses.mean_squared_error(y, x, weights=column, reduction=tf.losses.Reduction.SUM),
    "mean": tf.losses.mean_squared_error(y, x, weights=column, reduction=tf.losses.Reduction.MEAN),
    "computed": tf.losses.compute_weighted_loss(tf.abs(x), column),
}
count = len(tf.losses.get_losses())
found_tensors["total"] = tf.add_n([one for one in tf.losses.get_losses() if one.get_shape().ndims == 0])
found_tensors["weighted_cross_entropy"] = tf.nn.weighted_cross_entropy_with_logits(one_hot, logits, 3.0)
found_tensors["poisson"] = tf.nn.log_poisson_loss(tf.abs(y), x)
with tf.Session() as sess:
    found = sess.run(found_tensors)
found["count"] = count

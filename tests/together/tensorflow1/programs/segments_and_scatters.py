"""Segments, scattered updates, sorting and counting."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(29)
data = tf.constant(rng.normal(size=(6, 2)).astype(np.float32))
ids = tf.constant([0, 0, 1, 3, 3, 3])
mixed = tf.constant([2, 0, 2, 1, 0, 2])
table = tf.Variable(np.arange(10, dtype=np.float32).reshape(5, 2))
counts = tf.Variable(np.zeros(4, np.int32), trainable=False)
vector = tf.Variable(np.zeros(6, np.float32), trainable=False)
words = tf.constant([5, 2, 5, 5, 1, 2])

fetches = {
    "segment_sum": tf.segment_sum(data, ids),
    "segment_mean": tf.segment_mean(data, ids),
    "segment_max": tf.segment_max(data, tf.constant([0, 0, 1, 1, 2, 2])),
    "unsorted_sum": tf.unsorted_segment_sum(data, mixed, 4),
    "unsorted_max": tf.unsorted_segment_max(data, mixed, 3),
    "gradient": tf.gradients(tf.square(tf.unsorted_segment_sum(data, mixed, 3)), data)[0],
    "unique": tf.unique(words).y,
    "places": tf.unique(words)[1],
    "counted": tf.unique_with_counts(words)[2],
    "sorted": tf.sort(words, direction="DESCENDING"),
    "argsort": tf.argsort(data, axis=0),
    "bins": tf.bincount(words, minlength=8),
    "histogram": tf.histogram_fixed_width(data, [-1.0, 1.0], nbins=4),
    "masked": tf.boolean_mask(data, tf.reduce_sum(data, 1) > 0.0),
    "where": tf.where(data > 0.5),
    "gathered": tf.gather_nd(data, [[0, 1], [5, 0]]),
    "scattered": tf.scatter_nd([[1], [3], [1]], [1.0, 2.0, 3.0], [5]),
    "meshgrid": tf.stack(tf.meshgrid([1, 2, 3], [4, 5])),
    "sequence_mask": tf.sequence_mask([1, 3, 0], 4),
    "cumsum": tf.cumsum(data, exclusive=True, reverse=True),
    "einsum": tf.einsum("ij,kj->ik", data, data),
    "tile": tf.tile(ids[:2], [3]),
    "reversed": tf.reverse_sequence(data, [2, 1], seq_axis=0, batch_axis=1),
    "norms": tf.stack(tf.clip_by_global_norm([data, 2.0 * data], 1.0)[0]),
    "average_norm": tf.clip_by_average_norm(data, 0.1),
}
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    found = sess.run(fetches)
    sess.run(tf.scatter_add(table, [0, 4, 0], [[1.0, 1.0], [2.0, 2.0], [10.0, 10.0]]))
    sess.run(tf.scatter_sub(table, [1], [[0.5, 0.5]]))
    sess.run(tf.scatter_update(table, [2], [[-1.0, -2.0]]))
    sess.run(tf.scatter_add(counts, tf.constant([1, 1, 3]), tf.constant([1, 1, 1])))
    sess.run(tf.scatter_nd_update(vector, [[0], [5]], [7.0, 8.0]))
    found["table"], found["counts"], found["vector"] = sess.run([table, counts, vector])

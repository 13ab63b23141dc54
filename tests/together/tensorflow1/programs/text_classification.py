"""Sentences through a convolution over words: tf.layers in one dimension, with masks and a template."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(31)
vocabulary, length, size = 15, 9, 4
words = rng.integers(1, vocabulary, (16, length))
lengths = rng.integers(3, length + 1, 16)
words[np.arange(length)[None] >= lengths[:, None]] = 0
labels = (words == 7).any(axis=1).astype(np.int64)
table = tf.constant_initializer(rng.normal(size=(vocabulary, size)).astype(np.float32))
kernel = tf.constant_initializer(rng.normal(0.0, 0.3, (3, size, 6)).astype(np.float32))
last = tf.constant_initializer(rng.normal(0.0, 0.3, (6, 2)).astype(np.float32))


def classify(ids):
    embeddings = tf.get_variable("embeddings", [vocabulary, size], initializer=table)
    x = tf.nn.embedding_lookup(embeddings, ids)
    x *= tf.expand_dims(tf.cast(tf.not_equal(ids, 0), tf.float32), -1)
    x = tf.layers.conv1d(x, 6, 3, padding="same", activation=tf.nn.relu, kernel_initializer=kernel)
    pooled = tf.layers.max_pooling1d(x, 3, 3)
    return tf.layers.dense(tf.reduce_max(pooled, 1), 2, kernel_initializer=last)


shared = tf.make_template("classifier", classify)
ids = tf.placeholder(tf.int32, [None, length])
label = tf.placeholder(tf.int64, [None])
logits = shared(ids)
again = shared(tf.reverse(ids, [1]))
loss = tf.losses.sparse_softmax_cross_entropy(label, logits) + 0.1 * tf.reduce_mean(tf.square(again))
train = tf.train.AdamOptimizer(0.05).minimize(loss)
best = tf.nn.in_top_k(logits, label, 1)
switched = tf.switch_case(tf.cast(label[0], tf.int32), [lambda: logits[0], lambda: again[0]])

losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    feed = {ids: words, label: labels}
    for _ in range(8):
        losses.append(sess.run([loss, train], feed)[0])
    found = {
        "losses": losses,
        "logits": sess.run(logits, feed),
        "again": sess.run(again, feed),
        "best": sess.run(best, feed),
        "switched": sess.run(switched, feed),
        "variables": sorted(variable.op.name for variable in tf.trainable_variables()),
    }

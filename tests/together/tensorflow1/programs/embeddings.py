"""Embeddings: a bag of words classified by the mean of its word vectors; rows no sentence has stay as they were."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(13)
vocabulary, size, length = 20, 4, 5
sentences = rng.integers(0, 15, (30, length))
labels = (sentences.min(axis=1) < 2).astype(np.float32)

ids = tf.placeholder(tf.int32, [None, length])
label = tf.placeholder(tf.float32, [None])
embeddings = tf.get_variable("embeddings", initializer=rng.uniform(-1.0, 1.0, (vocabulary, size)).astype(np.float32))
softmax_w = tf.get_variable("w", initializer=rng.normal(size=(size, 1)).astype(np.float32))
embed = tf.nn.embedding_lookup(embeddings, ids)
mean = tf.reduce_mean(embed, axis=1)
logits = tf.squeeze(tf.matmul(mean, softmax_w), [1])
loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=label, logits=logits))
(gradient,) = tf.gradients(loss, [embeddings])
train = tf.train.GradientDescentOptimizer(1.0).minimize(loss)
normalized = tf.nn.l2_normalize(embeddings, 1)
similarity = tf.matmul(tf.nn.embedding_lookup(normalized, [0, 1]), normalized, transpose_b=True)
nearest = tf.nn.top_k(-similarity, 3)

losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for start in range(0, 30, 10):
        feed = {ids: sentences[start : start + 10], label: labels[start : start + 10]}
        losses.append(sess.run([loss, train], feed)[0])
    found = {
        "losses": losses,
        "embeddings": sess.run(embeddings),
        "similarity": sess.run(similarity),
        "nearest": sess.run(nearest.indices),
        "sparse": [isinstance(gradient, tf.IndexedSlices)],
    }

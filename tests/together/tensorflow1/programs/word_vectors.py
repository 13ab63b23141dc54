"""Word vectors by the skip-gram model: noise-contrastive estimation and sampled softmax, the negative words given."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(23)
vocabulary_size, embedding_size, batch_size, num_sampled = 12, 5, 8, 4
corpus = rng.integers(0, vocabulary_size, 60)
centres, contexts = corpus[1:-1], corpus[2:]

train_inputs = tf.placeholder(tf.int32, shape=[batch_size])
train_labels = tf.placeholder(tf.int64, shape=[batch_size, 1])
negatives = tf.placeholder(tf.int64, shape=[num_sampled])
embeddings = tf.Variable(rng.uniform(-1.0, 1.0, (vocabulary_size, embedding_size)).astype(np.float32))
embed = tf.nn.embedding_lookup(embeddings, train_inputs)
nce_weights = tf.Variable(rng.normal(0.0, 0.4, (vocabulary_size, embedding_size)).astype(np.float32))
nce_biases = tf.Variable(tf.zeros([vocabulary_size]))
frequent = tf.constant((np.log(np.arange(12) + 2.0) - np.log(np.arange(12) + 1.0)).astype(np.float32))


def expected(ids):
    return num_sampled * tf.gather(frequent, ids) / np.float32(np.log(13.0))


sampled = (negatives, expected(train_labels), expected(negatives))
arguments = {
    "weights": nce_weights,
    "biases": nce_biases,
    "labels": train_labels,
    "inputs": embed,
    "num_sampled": num_sampled,
    "num_classes": vocabulary_size,
    "sampled_values": sampled,
}
nce = tf.nn.nce_loss(**arguments)
softmax = tf.nn.sampled_softmax_loss(**arguments)
loss = tf.reduce_mean(nce) + tf.reduce_mean(softmax)
optimizer = tf.train.AdagradOptimizer(0.5).minimize(loss)
norm = tf.sqrt(tf.reduce_sum(tf.square(embeddings), 1, keep_dims=True))
normalized = embeddings / norm
similarity = tf.matmul(tf.nn.embedding_lookup(normalized, tf.constant([0, 3])), normalized, transpose_b=True)

losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    feed = {train_inputs: centres[:8], train_labels: contexts[:8, None], negatives: [1, 5, 7, 2]}
    first = sess.run([nce, softmax], feed)
    for start in range(0, 48, 8):
        feed = {
            train_inputs: centres[start : start + 8],
            train_labels: contexts[start : start + 8, None],
            negatives: rng.permutation(vocabulary_size)[:num_sampled],
        }
        losses.append(sess.run([loss, optimizer], feed)[0])
    found = {"nce": first[0], "softmax": first[1], "losses": losses, "similarity": sess.run(similarity)}

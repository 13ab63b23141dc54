"""Connectionist temporal classification, as in recognition of speech: sparse labels, a loss, decoders."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(33)
time, batch, features, classes = 8, 3, 5, 4
sounds = rng.normal(size=(time, batch, features)).astype(np.float32)
lengths = np.array([8, 6, 7], np.int32)
indices = np.array([[0, 0], [0, 1], [1, 0], [2, 0], [2, 1], [2, 2]], np.int64)
values = np.array([0, 2, 1, 2, 2, 0], np.int32)

inputs = tf.placeholder(tf.float32, [time, None, features])
targets = tf.sparse_placeholder(tf.int32)
seq_len = tf.placeholder(tf.int32, [None])
w = tf.Variable(rng.normal(0.0, 0.5, (features, classes)).astype(np.float32))
b = tf.Variable(tf.zeros([classes]))
flat = tf.reshape(inputs, [-1, features])
logits = tf.reshape(tf.nn.xw_plus_b(flat, w, b), [time, -1, classes])
losses = tf.nn.ctc_loss(targets, logits, seq_len)
cost = tf.reduce_mean(losses)
train = tf.train.MomentumOptimizer(0.05, 0.9).minimize(cost)
decoded, log_prob = tf.nn.ctc_greedy_decoder(logits, seq_len)
dense = tf.sparse_tensor_to_dense(decoded[0], default_value=-1)
beams, beam_log_prob = tf.nn.ctc_beam_search_decoder(logits, seq_len, beam_width=10, merge_repeated=False)

costs = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    feed = {inputs: sounds, seq_len: lengths, targets: (indices, values, (3, 3))}
    first = sess.run(losses, feed)
    for _ in range(12):
        costs.append(sess.run([cost, train], feed)[0])
    found = {
        "first": first,
        "costs": costs,
        "w": sess.run(w),
        "dense": sess.run(dense, feed),
        "log_prob": sess.run(log_prob, feed),
        "beam": sess.run(beams[0], feed).values,
        "beam_log_prob": sess.run(beam_log_prob, feed),
    }

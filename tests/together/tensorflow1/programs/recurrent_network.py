"""Recurrent networks: an LSTM that is unrolled, a GRU over several lengths, stacked cells, two directions."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(22)
batch, time, size, units, classes = 6, 5, 3, 4, 2
sequences = rng.normal(size=(batch, time, size)).astype(np.float32)
lengths = np.array([5, 3, 1, 4, 5, 2], np.int32)
labels = (sequences[:, 0, 0] > 0).astype(np.int32)

X = tf.placeholder(tf.float32, [None, time, size])
Y = tf.placeholder(tf.int32, [None])
seqlen = tf.placeholder(tf.int32, [None])


def initializer(seed):
    """The same values in any framework."""

    def make(shape, dtype=None, partition_info=None):
        sizes = [int(one) for one in shape]
        return tf.constant(np.random.default_rng(seed).normal(0.0, 0.4, sizes), dtype=tf.float32)

    return make


with tf.variable_scope("unrolled", initializer=initializer(1)):
    cell = tf.nn.rnn_cell.BasicLSTMCell(units, forget_bias=1.0)
    outputs, state = tf.nn.static_rnn(cell, tf.unstack(X, time, 1), dtype=tf.float32)
    weights = tf.get_variable("w", [units, classes])
    logits = tf.matmul(outputs[-1], weights)
with tf.variable_scope("dynamic", initializer=initializer(2)):
    gru = tf.nn.rnn_cell.GRUCell(units)
    by_time, last = tf.nn.dynamic_rnn(gru, X, sequence_length=seqlen, dtype=tf.float32)
with tf.variable_scope("stacked", initializer=initializer(3)):
    cells = [tf.nn.rnn_cell.LSTMCell(units, use_peepholes=True), tf.nn.rnn_cell.BasicRNNCell(units)]
    stacked = tf.nn.rnn_cell.MultiRNNCell(cells)
    stacked_outputs, states = tf.nn.dynamic_rnn(stacked, X, initial_state=stacked.zero_state(batch, tf.float32))
with tf.variable_scope("both", initializer=initializer(4)):
    (forward, backward), final = tf.nn.bidirectional_dynamic_rnn(
        tf.nn.rnn_cell.GRUCell(2), tf.nn.rnn_cell.GRUCell(3), X, sequence_length=seqlen, dtype=tf.float32
    )

loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=Y))
loss += tf.reduce_mean(tf.square(last)) + tf.reduce_mean(tf.square(stacked_outputs))
loss += tf.reduce_mean(tf.abs(tf.concat([forward, backward], 2)))
tvars = tf.trainable_variables()
grads, norm = tf.clip_by_global_norm(tf.gradients(loss, tvars), 1.0)
train = tf.train.GradientDescentOptimizer(0.2).apply_gradients(zip(grads, tvars, strict=True))

feed = {X: sequences, Y: labels, seqlen: lengths}
losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    first = sess.run([logits, state.c, state.h, by_time, last, states[0].c, states[1], forward, final[1], norm], feed)
    for _ in range(5):
        losses.append(sess.run([loss, train], feed)[0])
    names = ["logits", "c", "h", "by_time", "last", "peephole_c", "rnn_state", "forward", "final_backward", "norm"]
    found = dict(zip(names, first, strict=True))
    found["losses"] = losses
    found["after"] = sess.run(by_time, feed)
    found["shapes"] = sorted(str(variable.get_shape().as_list()) for variable in tvars)

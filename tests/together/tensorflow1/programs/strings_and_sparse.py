"""Strings in the graph, and a linear model whose inputs are sparse."""

import numpy as np

import dovetail as tf

lines = tf.placeholder(tf.string, [None])
joined = tf.string_join([lines, tf.constant("!")], separator="")
numbers = tf.string_to_number(tf.constant(["1.5", "-2", "3e2"]), tf.float32)
texts = tf.as_string(tf.constant([1, 22, -3]))
parts = tf.string_split(lines, delimiter=" ")
dense_parts = tf.sparse_tensor_to_dense(parts, default_value="")
beginning = tf.substr(lines, 0, 3)
stripped = tf.string_strip(tf.constant(["  a ", "b\n"]))
replaced = tf.regex_replace(lines, "[aeiou]", "_")
lengths = tf.strings.length(lines)

x = tf.sparse_placeholder(tf.float32)
w = tf.Variable(np.linspace(-1.0, 1.0, 10).reshape(5, 2).astype(np.float32))
y = tf.sparse_tensor_dense_matmul(x, w)
loss = tf.reduce_sum(tf.square(y - 1.0))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
scattered = tf.sparse_to_dense([[0, 1], [2, 0]], [3, 2], [5.0, 6.0], default_value=-1.0)
indices = np.array([[0, 1], [1, 0], [1, 4], [2, 2]], np.int64)
value = tf.SparseTensorValue(indices, np.array([1.0, 2.0, -1.0, 0.5], np.float32), (3, 5))


def text(array):
    return np.array([one.decode() for one in array.reshape(-1)]).reshape(array.shape)


with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    feed = {lines: ["an apple", "two red pears"]}
    found = {
        "joined": text(sess.run(joined, feed)),
        "numbers": sess.run(numbers),
        "texts": text(sess.run(texts)),
        "indices": sess.run(parts, feed).indices,
        "parts": text(sess.run(dense_parts, feed)),
        "beginning": text(sess.run(beginning, feed)),
        "stripped": text(sess.run(stripped)),
        "replaced": text(sess.run(replaced, feed)),
        "lengths": sess.run(lengths, feed),
        "y": sess.run(y, {x: value}),
        "losses": [sess.run([loss, train], {x: value})[0] for _ in range(4)],
        "w": sess.run(w),
        "scattered": sess.run(scattered),
    }

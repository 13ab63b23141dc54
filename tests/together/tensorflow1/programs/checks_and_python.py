"""tf.py_func, tf.Print, tf.Assert, tf.check_numerics: Python in the graph, and runs that fail."""

import numpy as np

import dovetail as tf

x = tf.placeholder(tf.float32, [None], name="x")


def median_and_count(values):
    return np.float32(np.median(values)), np.int64(values.size)


median, count = tf.py_func(median_and_count, [x], [tf.float32, tf.int64])
doubled = tf.py_func(lambda values: 2.0 * values, [x], tf.float32, stateful=False)
shown = tf.Print(x, [tf.shape(x), tf.reduce_sum(x)], message="x: ", first_n=1, summarize=2)
positive = tf.Assert(tf.reduce_all(x > 0.0), [x])
with tf.control_dependencies([positive, tf.assert_less(x, 100.0, message="too great")]):
    root = tf.sqrt(x)
finite = tf.check_numerics(tf.log(x), "the logarithm")
equal = tf.assert_equal(tf.shape(x)[0], 3)
ranked = tf.assert_rank(x, 1)

failed = []
with tf.Session() as sess:
    values = np.array([4.0, 9.0, 1.0], np.float32)
    found = {
        "median": sess.run(median, {x: values}),
        "count": sess.run(count, {x: values}),
        "doubled": sess.run(doubled, {x: values}),
        "shown": sess.run(shown, {x: values}),
        "root": sess.run(root, {x: values}),
        "finite": sess.run(finite, {x: values}),
        "done": [sess.run(equal, {x: values}) is None],
    }
    for fetch, bad in ((root, [1.0, -1.0]), (root, [200.0]), (finite, [0.0]), (equal, [1.0])):
        try:
            sess.run(fetch, {x: bad})
        except tf.errors.OpError:
            failed.append(True)
        else:
            failed.append(False)
    found["failed"] = failed
    found["still"] = sess.run(root, {x: [16.0]})
try:
    tf.assert_rank(x, 2)
except ValueError:
    found["rank"] = [True]

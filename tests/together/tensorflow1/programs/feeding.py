"""Values for any tensor: placeholders with defaults, results in the middle, variables; fetches of any structure."""

from collections import namedtuple

import numpy as np

import dovetail as tf

x = tf.placeholder(tf.float32, [None, 2], name="x")
default = tf.placeholder_with_default([[1.0, 1.0]], [None, 2])
w = tf.Variable([[2.0, 0.0], [1.0, -1.0]], name="w")
middle = tf.matmul(x, w, name="middle")
y = tf.reduce_sum(tf.square(middle), axis=1, name="y")
z = default * 2.0
constant = tf.constant(5.0)
of_constant = constant + 1.0
mask = tf.identity(y > 3.0)
Result = namedtuple("Result", ["y", "parts"])

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    rows = np.array([[1, 0], [0, 1], [1, 1]])
    plain = sess.run(y, {x: rows})
    in_the_middle = sess.run(y, {middle: [[3.0, 4.0]]})
    by_name = sess.run("y:0", {"x:0": rows[:1]})
    of_variable = sess.run(y, {x: rows, w: np.eye(2)})
    structure = sess.run(Result(y, {"middle": middle, "list": [x, (w, constant)]}), {x: rows})
    again = sess.run([y, y, x], {x: rows})
    found = {
        "plain": plain,
        "in_the_middle": in_the_middle,
        "by_name": by_name,
        "of_variable": of_variable,
        "default": sess.run(z),
        "replaced": sess.run(z, {default: [[1.0, 2.0], [3.0, 4.0]]}),
        "of_constant": sess.run(of_constant, {constant: 1.0}),
        "structure_y": structure.y,
        "structure_middle": structure.parts["middle"],
        "structure_w": structure.parts["list"][1][0],
        "kinds": [type(structure).__name__, type(structure.parts["list"]).__name__],
        "again": again[0] + again[1],
        "mask": sess.run(mask, {x: rows}),
        "unchanged": sess.run(w),
        "operation": [sess.run(y.op, {x: rows}) is None],
    }

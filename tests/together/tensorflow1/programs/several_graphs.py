"""Two graphs with a session each, and operations found by their names."""

import dovetail as tf

g1 = tf.Graph()
with g1.as_default():
    a = tf.placeholder(tf.float32, name="a")
    v = tf.get_variable("v", initializer=3.0)
    out1 = tf.multiply(a, v, name="out")
    init1 = tf.global_variables_initializer()

g2 = tf.Graph()
with g2.as_default(), g2.name_scope("scope"):
    b = tf.placeholder(tf.float32, name="b")
    v2 = tf.Variable([1.0, 2.0], name="v")
    out2 = tf.reduce_sum(b * v2, name="out")
    init2 = tf.variables_initializer([v2])

default = tf.constant(7.0, name="default")
with tf.Session() as sess:
    seven = sess.run("default:0")
    same = sess.graph is tf.get_default_graph()

sess1 = tf.Session(graph=g1)
sess2 = tf.Session(graph=g2)
sess1.run(init1)
sess2.run(init2)
first = sess1.run(out1, {a: 2.0})
second = sess2.run("scope/out:0", {"scope/b:0": 3.0})
chained = sess2.run(out2, {b: first})
with sess1.as_default():
    evaluated = out1.eval({a: 5.0})
with g2.as_default():
    names = [variable.name for variable in tf.global_variables()]
try:
    sess1.run(out2)
except (ValueError, TypeError):
    mixed = True
found = {
    "values": [seven, first, second, chained, evaluated],
    "names": names,
    "same": same,
    "mixed": mixed,
    "belongs": [default.graph is tf.get_default_graph(), out1.graph is g1, v2.op.name == "scope/v"],
    "is_tensor": g1.get_tensor_by_name("out:0") is out1,
}
sess1.close()
sess2.close()

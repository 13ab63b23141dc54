"""Variable scopes and name scopes: what variables and operations are called, and which are shared."""

import dovetail as tf

first = tf.constant_initializer(0.5)


def layer(x, name):
    with tf.variable_scope(name, default_name="layer"):
        w = tf.get_variable("w", [2], initializer=first)
        b = tf.get_variable("b", shape=(2,), initializer=tf.zeros_initializer())
        return tf.nn.relu(w * x + b, name="out")


x = tf.placeholder(tf.float32, [None, 2], name="x")
with tf.variable_scope("net") as net:
    one = layer(x, "one")
    two = layer(one, None)
    three = layer(two, None)
with tf.variable_scope(net, reuse=True):
    again = layer(x, "one")
with tf.variable_scope("net", reuse=tf.AUTO_REUSE):
    automatic = layer(x, "one")
    new = layer(x, "new")
with tf.variable_scope("net/one", reuse=True):
    shared = tf.get_variable("w")

with tf.name_scope("outer"):
    made = tf.Variable([1.0], name="made")
    got = tf.get_variable("got", [1], initializer=first)
    total = tf.add(made, got, name="total")
    with tf.name_scope("inner") as scope:
        product = tf.multiply(made, got, name="product")
    with tf.name_scope(scope):
        difference = tf.subtract(made, got, name="difference")
with tf.variable_scope("outer"):
    other = tf.get_variable("other", [1], initializer=tf.ones_initializer())
    sum_of_both = tf.add(other, made, name="total")
with tf.variable_scope("defaults", initializer=tf.constant_initializer(3.0), dtype=tf.float64):
    with tf.variable_scope("inner"):
        default = tf.get_variable("default", [1])

refused = []
for build in (
    lambda: layer(x, "net/one"),
    lambda: tf.get_variable("got", [1], initializer=first),
):
    try:
        build()
    except ValueError:
        refused.append(True)
    else:
        refused.append(False)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(tf.assign(shared, [2.0, 3.0]))
    found = {
        "variables": [variable.name for variable in tf.global_variables()],
        "tensors": [
            tensor.name for tensor in (one, two, three, again, automatic, new, total, product, difference, sum_of_both)
        ],
        "default": sess.run(default),
        "dtype": default.dtype.base_dtype.name,
        "same": [shared is tf.global_variables()[0], one is again],
        "values": sess.run([one, again, automatic, new], {x: [[1.0, 2.0]]}),
        "refused": refused,
    }

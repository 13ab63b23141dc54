"""Collections: losses that gather, regularization, trainable subsets, and a collection of one's own."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(9)
features = rng.normal(size=(20, 3)).astype(np.float32)
targets = (features @ [1.0, -2.0, 0.0])[:, None].astype(np.float32)

x = tf.placeholder(tf.float32, [None, 3])
y = tf.placeholder(tf.float32, [None, 1])


def weight_decay(strength):
    return lambda weights: strength * tf.nn.l2_loss(weights)


with tf.variable_scope("model", regularizer=weight_decay(0.1)):
    w1 = tf.get_variable("w1", initializer=rng.normal(size=(3, 4)).astype(np.float32))
    w2 = tf.get_variable("w2", initializer=rng.normal(size=(4, 1)).astype(np.float32))
    free = tf.get_variable("free", [1], initializer=tf.zeros_initializer(), regularizer=None)
hidden = tf.nn.softplus(tf.matmul(x, w1))
prediction = tf.matmul(hidden, w2) + free
tf.add_to_collection("activations", hidden)
tf.add_to_collection("activations", prediction)

tf.losses.mean_squared_error(labels=y, predictions=prediction)
tf.losses.absolute_difference(y, prediction, weights=0.5)
tf.losses.add_loss(0.01 * tf.reduce_sum(tf.abs(free - 1.0)))
total = tf.losses.get_total_loss()
regularization = tf.reduce_sum(tf.stack(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)))

step = tf.train.GradientDescentOptimizer(0.02).minimize(total)
step_of_last = tf.train.GradientDescentOptimizer(0.02).minimize(total, var_list=[w2, free])

losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(8):
        losses.append(sess.run(total, {x: features, y: targets}))
        sess.run(step if i < 4 else step_of_last, {x: features, y: targets})
    found = {
        "losses": losses,
        "regularization": sess.run(regularization),
        "counts": [
            len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)),
            len(tf.losses.get_losses()),
            len(tf.get_collection("activations")),
            len(tf.get_collection("nothing")),
        ],
        "w1": sess.run(w1),
        "w2": sess.run(w2),
    }

"""An autoencoder with sigmoid layers and RMSProp."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(5)
factors = rng.uniform(size=(48, 3))
data = (1.0 / (1.0 + np.exp(-factors @ rng.normal(0.0, 2.0, (3, 16))))).astype(np.float32)

X = tf.placeholder("float", [None, 16])


def variable(name, *shape):
    return tf.get_variable(name, initializer=rng.normal(0.0, 0.5, shape).astype(np.float32))


def encoder(x):
    with tf.variable_scope("encoder"):
        layer_1 = tf.nn.sigmoid(tf.add(tf.matmul(x, variable("h1", 16, 8)), variable("b1", 8)))
        return tf.nn.sigmoid(tf.add(tf.matmul(layer_1, variable("h2", 8, 3)), variable("b2", 3)))


def decoder(x):
    with tf.variable_scope("decoder"):
        layer_1 = tf.nn.sigmoid(tf.add(tf.matmul(x, variable("h1", 3, 8)), variable("b1", 8)))
        return tf.nn.sigmoid(tf.add(tf.matmul(layer_1, variable("h2", 8, 16)), variable("b2", 16)))


code = encoder(X)
y_pred = decoder(code)
loss = tf.reduce_mean(tf.pow(X - y_pred, 2))
optimizer = tf.train.RMSPropOptimizer(0.01).minimize(loss)

losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(30):
        _, value = sess.run([optimizer, loss], feed_dict={X: data})
        losses.append(value)
    found = {
        "losses": losses,
        "codes": sess.run(code, {X: data}),
        "names": [one.op.name for one in tf.global_variables()],
    }

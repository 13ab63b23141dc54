"""A generative adversarial network: two losses, two lists of variables, a discriminator that is used twice."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(7)
batch_size, z_dim = 16, 4


def dense(x, units, name, activation=None):
    with tf.variable_scope(name):
        size = x.get_shape().as_list()[-1]
        first = np.random.default_rng([size, units]).normal(0.0, 0.4, (size, units))
        w = tf.get_variable("w", [size, units], initializer=tf.constant_initializer(first))
        b = tf.get_variable("b", [units], initializer=tf.zeros_initializer())
        y = tf.nn.xw_plus_b(x, w, b)
        return y if activation is None else activation(y)


def generator(z):
    with tf.variable_scope("generator"):
        h = dense(z, 8, "h0", tf.nn.relu)
        return dense(h, 2, "out", tf.nn.tanh)


def discriminator(x, reuse=False):
    with tf.variable_scope("discriminator") as scope:
        if reuse:
            scope.reuse_variables()
        h = dense(x, 8, "h0", tf.nn.leaky_relu)
        return dense(h, 1, "out")


Z = tf.placeholder(tf.float32, [None, z_dim], name="Z")
real = tf.placeholder(tf.float32, [None, 2], name="real")
fake = generator(Z)
real_logits = discriminator(real)
fake_logits = discriminator(fake, reuse=True)

d_loss = tf.reduce_mean(
    tf.nn.sigmoid_cross_entropy_with_logits(logits=real_logits, labels=tf.ones_like(real_logits))
) + tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(logits=fake_logits, labels=tf.zeros_like(fake_logits)))
g_loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(logits=fake_logits, labels=tf.ones_like(fake_logits)))
d_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="discriminator")
g_vars = [variable for variable in tf.trainable_variables() if variable.name.startswith("generator")]
d_step = tf.train.AdamOptimizer(0.01, beta1=0.5).minimize(d_loss, var_list=d_vars)
g_step = tf.train.AdamOptimizer(0.01, beta1=0.5).minimize(g_loss, var_list=g_vars)

losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(10):
        z = rng.uniform(-1.0, 1.0, (batch_size, z_dim))
        angle = rng.uniform(0.0, 2.0 * np.pi, batch_size)
        circle = 0.5 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        _, d = sess.run([d_step, d_loss], {real: circle, Z: z})
        _, g = sess.run([g_step, g_loss], {Z: z})
        losses.append([d, g])
    found = {
        "losses": losses,
        "made": sess.run(fake, {Z: np.linspace(-1.0, 1.0, 12).reshape(3, 4)}),
        "d_vars": [one.name for one in d_vars],
        "g_vars": [one.name for one in g_vars],
    }

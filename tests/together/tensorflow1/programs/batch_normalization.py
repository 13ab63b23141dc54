"""Batch normalization with its moving averages by UPDATE_OPS: training, then evaluation in the same graph."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(11)
x_data = rng.normal(2.0, 3.0, (32, 4, 4, 2)).astype(np.float32)
labels = (x_data.mean(axis=(1, 2, 3)) > 2.0).astype(np.int32)
kernel = tf.constant_initializer(rng.normal(0.0, 0.5, (3, 3, 2, 5)).astype(np.float32))
last = tf.constant_initializer(rng.normal(0.0, 0.5, (5, 2)).astype(np.float32))

x = tf.placeholder(tf.float32, [None, 4, 4, 2])
y = tf.placeholder(tf.int32, [None])
is_training = tf.placeholder_with_default(False, [], name="is_training")
h = tf.layers.conv2d(x, 5, 3, padding="same", use_bias=False, kernel_initializer=kernel)
h = tf.layers.batch_normalization(h, training=is_training, momentum=0.9)
h = tf.reduce_mean(tf.nn.relu(h), [1, 2])
logits = tf.layers.dense(h, 2, kernel_initializer=last)
loss = tf.losses.sparse_softmax_cross_entropy(y, logits)

update_ops = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
with tf.control_dependencies(update_ops):
    train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(6):
        batch = np.arange(16) + 16 * (i % 2)
        feed = {x: x_data[batch], y: labels[batch], is_training: True}
        losses.append(sess.run([loss, train_op], feed)[0])
    values = {variable.op.name: sess.run(variable) for variable in tf.global_variables()}
    found = {
        "losses": losses,
        "evaluated": sess.run(logits, {x: x_data}),
        "trained": sess.run(logits, {x: x_data, is_training: True}),
        "mean": values["batch_normalization/moving_mean"],
        "variance": values["batch_normalization/moving_variance"],
        "gamma": values["batch_normalization/gamma"],
        "beta": values["batch_normalization/beta"],
        "names": list(values),
        "updates": len(update_ops),
    }

"""A convolutional network by tf.layers, in a function that is called for training and for evaluation."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(4)
labels = rng.integers(0, 3, 24)
images = rng.normal(0.0, 0.3, (24, 10, 10, 1)).astype(np.float32)
images[np.arange(24), :, 3 * labels] += 1.0
kernels = {
    "conv1": rng.normal(0.0, 0.3, (3, 3, 1, 4)),
    "conv2": rng.normal(0.0, 0.2, (3, 3, 4, 6)),
    "fc": rng.normal(0.0, 0.2, (24, 8)),
    "logits": rng.normal(0.0, 0.3, (8, 3)),
}
kernels = {name: tf.constant_initializer(value.astype(np.float32)) for name, value in kernels.items()}


def network(x, reuse, is_training):
    with tf.variable_scope("ConvNet", reuse=reuse):
        conv1 = tf.layers.conv2d(x, 4, 3, activation=tf.nn.relu, kernel_initializer=kernels["conv1"], name="conv1")
        conv1 = tf.layers.max_pooling2d(conv1, 2, 2)
        conv2 = tf.layers.conv2d(
            inputs=conv1,
            filters=6,
            kernel_size=[3, 3],
            padding="same",
            activation=tf.nn.relu,
            kernel_initializer=kernels["conv2"],
            name="conv2",
        )
        conv2 = tf.layers.average_pooling2d(conv2, 2, 2)
        fc1 = tf.layers.flatten(conv2)
        fc1 = tf.layers.dense(fc1, 8, kernel_initializer=kernels["fc"], name="fc")
        fc1 = tf.layers.dropout(fc1, rate=0.0, training=is_training)
        return tf.layers.dense(fc1, 3, kernel_initializer=kernels["logits"], name="logits")


X = tf.placeholder(tf.float32, [None, 10, 10, 1])
Y = tf.placeholder(tf.int32, [None])
logits_train = network(X, reuse=False, is_training=True)
logits_test = network(X, reuse=True, is_training=False)
loss_op = tf.losses.sparse_softmax_cross_entropy(labels=Y, logits=logits_train)
train_op = tf.train.MomentumOptimizer(0.05, 0.9).minimize(loss_op)
predicted = tf.argmax(logits_test, axis=1)

losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(6):
        losses.append(sess.run([loss_op, train_op], {X: images, Y: labels})[0])
    found = {
        "losses": losses,
        "logits": sess.run(logits_test, {X: images}),
        "predicted": sess.run(predicted, {X: images}),
        "names": [variable.name for variable in tf.trainable_variables()],
    }

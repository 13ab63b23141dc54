"""A convolutional network by tf.nn alone, as in "Deep MNIST for experts"."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(3)
labels = rng.integers(0, 4, 32)
images = rng.normal(0.0, 0.3, (32, 144)).astype(np.float32)
images.reshape(32, 12, 12)[np.arange(32), 3 * labels] += 1.0


def weight_variable(shape):
    return tf.Variable(rng.normal(0.0, 0.1, shape).astype(np.float32))


def bias_variable(shape):
    return tf.Variable(tf.constant(0.1, shape=shape))


def conv2d(x, W):
    return tf.nn.conv2d(x, W, strides=[1, 1, 1, 1], padding="SAME")


def max_pool_2x2(x):
    return tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")


x = tf.placeholder(tf.float32, [None, 144])
y_ = tf.placeholder(tf.int64, [None])
keep_prob = tf.placeholder(tf.float32)

with tf.name_scope("reshape"):
    x_image = tf.reshape(x, [-1, 12, 12, 1])
with tf.name_scope("conv1"):
    h_conv1 = tf.nn.relu(conv2d(x_image, weight_variable([5, 5, 1, 4])) + bias_variable([4]))
with tf.name_scope("pool1"):
    h_pool1 = max_pool_2x2(h_conv1)
with tf.name_scope("conv2"):
    h_conv2 = tf.nn.relu(tf.nn.bias_add(conv2d(h_pool1, weight_variable([3, 3, 4, 8])), bias_variable([8])))
with tf.name_scope("pool2"):
    h_pool2 = max_pool_2x2(h_conv2)
with tf.name_scope("fc1"):
    h_pool2_flat = tf.reshape(h_pool2, [-1, 3 * 3 * 8])
    h_fc1 = tf.nn.relu(tf.matmul(h_pool2_flat, weight_variable([72, 16])) + bias_variable([16]))
with tf.name_scope("dropout"):
    h_fc1_drop = tf.nn.dropout(h_fc1, keep_prob)
with tf.name_scope("fc2"):
    y_conv = tf.matmul(h_fc1_drop, weight_variable([16, 4])) + bias_variable([4])
with tf.name_scope("loss"):
    cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y_, logits=y_conv)
cross_entropy = tf.reduce_mean(cross_entropy)
with tf.name_scope("adam_optimizer"):
    train_step = tf.train.AdamOptimizer(1e-2).minimize(cross_entropy)
with tf.name_scope("accuracy"):
    correct_prediction = tf.cast(tf.equal(tf.argmax(y_conv, 1), y_), tf.float32)
accuracy = tf.reduce_mean(correct_prediction)

losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(6):
        batch = np.arange(16) + 16 * (i % 2)
        train_step.run(feed_dict={x: images[batch], y_: labels[batch], keep_prob: 1.0})
        losses.append(cross_entropy.eval(feed_dict={x: images, y_: labels, keep_prob: 1.0}))
    everything = {x: images, y_: labels, keep_prob: 1.0}
    found = {
        "losses": losses,
        "accuracy": accuracy.eval(feed_dict=everything),
        "logits": y_conv.eval(feed_dict=everything),
        "pooled": h_pool2.eval(feed_dict=everything),
    }

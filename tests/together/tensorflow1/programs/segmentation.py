"""An image to an image: separable and dilated convolutions, one that goes up again, a skip, resizing."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(30)
images = rng.normal(size=(3, 8, 8, 2)).astype(np.float32)
masks = (images[..., :1] > 0.3).astype(np.float32)


def filters(*shape):
    return tf.Variable(rng.normal(0.0, 0.3, shape).astype(np.float32))


x = tf.placeholder(tf.float32, [None, 8, 8, 2])
y = tf.placeholder(tf.float32, [None, 8, 8, 1])
first = tf.nn.relu(tf.nn.separable_conv2d(x, filters(3, 3, 2, 2), filters(1, 1, 4, 6), [1, 1, 1, 1], "SAME"))
down = tf.nn.max_pool(first, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
wide = tf.nn.relu(tf.nn.atrous_conv2d(down, filters(3, 3, 6, 6), rate=2, padding="SAME"))
up = tf.nn.conv2d_transpose(wide, filters(2, 2, 4, 6), tf.stack([tf.shape(x)[0], 8, 8, 4]), [1, 2, 2, 1])
joined = tf.concat([up, first], axis=3)
logits = tf.nn.conv2d(joined, filters(1, 1, 10, 1), [1, 1, 1, 1], "SAME")
small = tf.image.resize_bilinear(logits, [4, 4])
nearest = tf.image.resize_nearest_neighbor(logits, [12, 12])
blocks = tf.space_to_depth(x, 2)
loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits))
loss += 0.1 * tf.reduce_mean(tf.square(small))
train = tf.train.AdamOptimizer(0.02).minimize(loss)

losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    feed = {x: images, y: masks}
    found = dict(
        zip(
            ["first", "wide", "up", "small", "nearest", "blocks"],
            sess.run([first, wide, up, small, nearest, blocks], feed),
            strict=True,
        )
    )
    for _ in range(5):
        losses.append(sess.run([loss, train], feed)[0])
    found["losses"] = losses
    found["logits"] = sess.run(logits, feed)

"""tf.cond and tf.case: values, gradients, and assignments in branches."""

import dovetail as tf

x = tf.placeholder(tf.float32, [])
y = tf.Variable(2.0, name="y")
count = tf.Variable(0, trainable=False, name="count")

smaller = tf.less(x, y)
chosen = tf.cond(smaller, lambda: tf.square(x) * y, lambda: x + 3.0 * y)
d_x, d_y = tf.gradients(chosen, [x, y])


def counted():
    with tf.control_dependencies([tf.assign_add(count, 1)]):
        return tf.identity(x)


def not_counted():
    return tf.constant(0.0)


maybe = tf.cond(x > 1.0, true_fn=counted, false_fn=not_counted)
band = tf.case(
    [(tf.less(x, 0.0), lambda: tf.constant("negative")), (tf.less(x, 10.0), lambda: tf.constant("small"))],
    default=lambda: tf.constant("large"),
    exclusive=False,
)
picked = tf.where(tf.constant([True, False, True]), tf.fill([3], x), tf.zeros([3]))

values, bands = [], []
with tf.Session() as sess:
    tf.global_variables_initializer().run()
    for number in (-1.0, 1.5, 4.0, 20.0):
        feed = {x: number}
        values.append([*sess.run([chosen, d_x, d_y, maybe], feed), *picked.eval(feed)])
        bands.append(sess.run(band, feed))
    found = {"values": values, "bands": [one.decode() for one in bands], "count": sess.run(count)}

"""A rate that decays, and moving averages of the weights that are used for evaluation."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(18)
x_data = rng.normal(size=(32, 4)).astype(np.float32)
y_data = (x_data @ [1.0, 2.0, -1.0, 0.5] + rng.normal(0.0, 0.1, 32)).astype(np.float32)

x = tf.placeholder(tf.float32, [None, 4])
y = tf.placeholder(tf.float32, [None])
w = tf.Variable(tf.zeros([4]), name="w")
b = tf.Variable(0.0, name="b")
global_step = tf.Variable(0, trainable=False)
learning_rate = tf.train.exponential_decay(0.3, global_step, 4, 0.7, staircase=True)
smooth_rate = tf.train.exponential_decay(0.3, global_step, 4, 0.7)


def predict(average=None):
    weights, bias = (w, b) if average is None else (average.average(w), average.average(b))
    return tf.reduce_sum(x * weights, 1) + bias


loss = tf.reduce_mean(tf.square(predict() - y))
train_step = tf.train.GradientDescentOptimizer(learning_rate).minimize(loss, global_step=global_step)
variable_averages = tf.train.ExponentialMovingAverage(0.9, global_step)
with tf.control_dependencies([train_step]):
    train_op = variable_averages.apply(tf.trainable_variables())
averaged_loss = tf.reduce_mean(tf.square(predict(variable_averages) - y))

plain = tf.train.ExponentialMovingAverage(decay=0.8)
watched = tf.reduce_sum(w)
watch = plain.apply([watched])
unbiased = tf.train.ExponentialMovingAverage(decay=0.8, zero_debias=True)
watch_unbiased = unbiased.apply([loss])

history = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(12):
        batch = np.arange(8) + 8 * (i % 4)
        rates = sess.run([learning_rate, smooth_rate])
        feed = {x: x_data[batch], y: y_data[batch]}
        sess.run(watch_unbiased, feed)
        value, _ = sess.run([loss, train_op], feed)
        sess.run(watch)
        history.append([*rates, value, sess.run(averaged_loss, {x: x_data, y: y_data})])
    found = {
        "history": history,
        "w": sess.run(w),
        "average": sess.run(variable_averages.average(w)),
        "watched": sess.run(plain.average(watched)),
        "unbiased": sess.run(unbiased.average(loss)),
        "names": [variable_averages.average_name(w), variable_averages.average_name(b)],
        "to_restore": sorted(variable_averages.variables_to_restore([w, b])),
        "variables": [one.op.name for one in tf.get_collection(tf.GraphKeys.MOVING_AVERAGE_VARIABLES)],
    }

"""Gradients computed, changed and applied: clipped by value, by norm and together; accumulated over batches."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(10)
x_data = rng.normal(0.0, 3.0, (24, 4)).astype(np.float32)
y_data = rng.normal(0.0, 3.0, (24, 2)).astype(np.float32)
first_w, first_b = rng.normal(size=(4, 2)).astype(np.float32), np.zeros(2, np.float32)

x = tf.placeholder(tf.float32, [None, 4])
y = tf.placeholder(tf.float32, [None, 2])
w = tf.Variable(first_w)
b = tf.Variable(first_b)
loss = tf.reduce_mean(tf.squared_difference(tf.matmul(x, w) + b, y))

optimizer = tf.train.GradientDescentOptimizer(0.05)
grads_and_vars = optimizer.compute_gradients(loss)
by_value = optimizer.apply_gradients([(tf.clip_by_value(g, -0.5, 0.5), v) for g, v in grads_and_vars])
by_norm = optimizer.apply_gradients([(tf.clip_by_norm(g, 1.0), v) for g, v in grads_and_vars])
tvars = tf.trainable_variables()
clipped, norm = tf.clip_by_global_norm(tf.gradients(loss, tvars), 1.5)
global_step = tf.train.get_or_create_global_step()
together = optimizer.apply_gradients(zip(clipped, tvars, strict=True), global_step=global_step)

sums = [tf.Variable(tf.zeros_like(v.initialized_value()), trainable=False) for v in tvars]
zero = tf.group(*[s.assign(tf.zeros_like(s)) for s in sums])
accumulate = tf.group(*[s.assign_add(g) for s, (g, _) in zip(sums, grads_and_vars, strict=True)])
apply = optimizer.apply_gradients([(s / 3.0, v) for s, v in zip(sums, tvars, strict=True)], global_step)

found = {}
feed = {x: x_data, y: y_data}
with tf.Session() as sess:
    for name, step in {"by_value": by_value, "by_norm": by_norm, "together": together}.items():
        sess.run(tf.global_variables_initializer())
        losses = []
        for _ in range(4):
            losses.append(sess.run([loss, step], feed)[0])
        found[f"{name}_losses"], found[f"{name}_w"], found[f"{name}_norm"] = losses, *sess.run([w, norm], feed)
    sess.run(zero)
    for part in np.split(np.arange(24), 3):
        sess.run(accumulate, {x: x_data[part], y: y_data[part]})
    sess.run(apply)
    found["accumulated"], found["steps"] = sess.run([w, global_step])

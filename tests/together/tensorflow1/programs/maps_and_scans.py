"""tf.map_fn, tf.scan, tf.foldl and tf.foldr: a filter, running sums, and a recurrent network written by hand."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(8)
signal = rng.normal(size=(4, 12)).astype(np.float32)

elements = tf.placeholder(tf.float32, [4, 12])
norms = tf.map_fn(lambda row: tf.sqrt(tf.reduce_sum(row * row)), elements)
pairs = tf.map_fn(lambda pair: pair[0] * pair[1], (elements, 2.0 * elements), dtype=tf.float32)
indices = tf.map_fn(lambda row: tf.argmax(row), elements, dtype=tf.int64)

decay = tf.Variable(0.9)
smooth = tf.scan(lambda kept, new: decay * kept + (1.0 - decay) * new, tf.transpose(elements))
smooth_from_zero = tf.scan(lambda kept, new: decay * kept + new, tf.transpose(elements), initializer=tf.zeros([4]))
gradient = tf.gradients(tf.reduce_sum(tf.square(smooth)), decay)[0]

fibonacci = tf.scan(lambda a, _: (a[1], a[0] + a[1]), tf.zeros([10]), initializer=(tf.constant(0.0), tf.constant(1.0)))
product = tf.foldl(lambda a, b: a * b, tf.constant([1.0, 2.0, 3.0, 4.0]))
from_right = tf.foldr(lambda a, b: b - a, tf.constant([1.0, 2.0, 3.0, 4.0]))

# A recurrent network: hidden states for all steps, the loss of the last, its gradients.
Wx = tf.Variable(rng.normal(0.0, 0.5, (1, 5)).astype(np.float32))
Wh = tf.Variable(rng.normal(0.0, 0.5, (5, 5)).astype(np.float32))
series = tf.expand_dims(tf.transpose(elements), 2)
states = tf.scan(
    lambda h, x: tf.tanh(tf.matmul(x, Wx) + tf.matmul(h, Wh)), series, initializer=tf.zeros([4, 5]), name="rnn"
)
loss = tf.reduce_mean(tf.square(states[-1]))
grads = tf.gradients(loss, [Wx, Wh])

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    names = ["norms", "pairs", "indices", "smooth", "from_zero", "gradient", "product", "from_right", "states", "loss"]
    tensors = [norms, pairs, indices, smooth, smooth_from_zero, gradient, product, from_right, states, loss]
    found = dict(zip(names, sess.run(tensors, {elements: signal}), strict=True))
    found["fibonacci"] = sess.run(fibonacci[0])
    found["grad_x"], found["grad_h"] = sess.run(grads, {elements: signal})

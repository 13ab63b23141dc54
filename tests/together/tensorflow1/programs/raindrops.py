"""A partial differential equation: drops on a pond, its Laplacian by a depthwise convolution."""

import numpy as np

import dovetail as tf

N = 20
u_init = np.zeros([N, N], dtype=np.float32)
ut_init = np.zeros([N, N], dtype=np.float32)
for n, (a, b) in enumerate(np.random.default_rng(16).integers(0, N, (8, 2))):
    u_init[a, b] = (n + 1) / 8


def make_kernel(a):
    a = np.asarray(a)
    a = a.reshape([*a.shape, 1, 1])
    return tf.constant(a, dtype=tf.float32)


def simple_conv(x, k):
    x = tf.expand_dims(tf.expand_dims(x, 0), -1)
    y = tf.nn.depthwise_conv2d(x, k, [1, 1, 1, 1], padding="SAME")
    return y[0, :, :, 0]


def laplace(x):
    laplace_k = make_kernel([[0.5, 1.0, 0.5], [1.0, -6.0, 1.0], [0.5, 1.0, 0.5]])
    return simple_conv(x, laplace_k)


sess = tf.InteractiveSession()
eps = tf.placeholder(tf.float32, shape=())
damping = tf.placeholder(tf.float32, shape=())
U = tf.Variable(u_init)
Ut = tf.Variable(ut_init)
U_ = U + eps * Ut
Ut_ = Ut + eps * (laplace(U) - damping * Ut)
with tf.control_dependencies([U_, Ut_]):  # both are computed before either is written
    step = tf.group(U.assign(U_), Ut.assign(Ut_))

tf.global_variables_initializer().run()
for _ in range(30):
    step.run({eps: 0.03, damping: 0.04})
found = {"U": U.eval(), "Ut": Ut.eval()}
sess.close()

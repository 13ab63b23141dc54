"""A Gaussian process by linear algebra, its kernel fitted by gradients through a Cholesky factor."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(28)
x_data = np.sort(rng.uniform(-3.0, 3.0, (12, 1)))
y_data = np.sin(x_data) + rng.normal(0.0, 0.1, (12, 1))
grid = np.linspace(-3.0, 3.0, 7)[:, None]

x = tf.constant(x_data)
y = tf.constant(y_data)
log_scale = tf.Variable(np.float64(0.5), name="log_scale")
log_noise = tf.Variable(np.float64(-1.0), name="log_noise")


def kernel(a, b):
    return tf.exp(-0.5 * tf.square((a - tf.transpose(b)) / tf.exp(log_scale)))


covariance = kernel(x, x) + tf.exp(2.0 * log_noise) * tf.eye(12, dtype=tf.float64)
factor = tf.cholesky(covariance)
alpha = tf.cholesky_solve(factor, y)
likelihood = tf.squeeze(
    0.5 * tf.matmul(y, alpha, transpose_a=True)
    + tf.reduce_sum(tf.log(tf.diag_part(factor)))
    + 6.0 * np.log(2.0 * np.pi)
)
train = tf.train.AdamOptimizer(0.1).minimize(likelihood)
mean = tf.matmul(kernel(tf.constant(grid), x), alpha)
solved = tf.matrix_solve(covariance, y)
half = tf.matrix_triangular_solve(factor, y, lower=True)
variance = 1.0 - tf.reduce_sum(tf.square(tf.matrix_triangular_solve(factor, kernel(x, tf.constant(grid)))), 0)

likelihoods = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(10):
        likelihoods.append(sess.run([likelihood, train])[0])
    found = {
        "likelihoods": likelihoods,
        "mean": sess.run(mean),
        "variance": sess.run(variance),
        "solved": sess.run(solved),
        "half": sess.run(half),
        "determinant": sess.run(tf.matrix_determinant(covariance)),
        "inverse": sess.run(tf.matrix_inverse(covariance))[:2],
        "eigenvalues": sess.run(tf.self_adjoint_eig(covariance)[0]),
        "singular": sess.run(tf.svd(covariance, compute_uv=False)),
        "least_squares": sess.run(tf.matrix_solve_ls(tf.concat([x, tf.ones_like(x)], 1), y)),
        "trace": sess.run(tf.trace(covariance)),
        "scale": sess.run(log_scale),
    }

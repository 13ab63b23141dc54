"""The optimizers of tf.train on one problem, with the slots that they keep."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(26)
matrix = (rng.normal(size=(6, 3)) * [1.0, 3.0, 0.3]).astype(np.float32)
target = rng.normal(size=6).astype(np.float32)
optimizers = {
    "sgd": tf.train.GradientDescentOptimizer(0.02),
    "momentum": tf.train.MomentumOptimizer(0.01, 0.9),
    "nesterov": tf.train.MomentumOptimizer(0.01, 0.9, use_nesterov=True),
    "adagrad": tf.train.AdagradOptimizer(0.3, initial_accumulator_value=0.2),
    "adadelta": tf.train.AdadeltaOptimizer(1.0, rho=0.9, epsilon=1e-3),
    "rmsprop": tf.train.RMSPropOptimizer(0.05, decay=0.8, momentum=0.5),
    "centered": tf.train.RMSPropOptimizer(0.05, decay=0.8, centered=True),
    "adam": tf.train.AdamOptimizer(0.1, beta1=0.8, beta2=0.95, epsilon=1e-4),
    "ftrl": tf.train.FtrlOptimizer(
        0.3, l1_regularization_strength=0.05, l2_regularization_strength=0.1, initial_accumulator_value=0.2
    ),
    "proximal": tf.train.ProximalGradientDescentOptimizer(0.02, l1_regularization_strength=0.1),
    "proximal_adagrad": tf.train.ProximalAdagradOptimizer(0.3, l2_regularization_strength=0.1),
}

found = {}
variables, steps = {}, {}
for name, optimizer in optimizers.items():
    with tf.variable_scope(name):
        w = tf.get_variable("w", initializer=tf.constant([0.5, -0.5, 1.0]))
        loss = tf.reduce_mean(tf.square(tf.tensordot(tf.constant(matrix), w, 1) - target))
        steps[name] = optimizer.minimize(loss, var_list=[w])
        variables[name] = w
    found[f"{name}_slots"] = ["", *optimizer.get_slot_names()]
first = optimizers["momentum"].get_slot(variables["momentum"], "momentum")

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(8):
        sess.run(list(steps.values()))
    for name, w in variables.items():
        found[name] = sess.run(w)
    found["momentum_slot"] = sess.run(first)

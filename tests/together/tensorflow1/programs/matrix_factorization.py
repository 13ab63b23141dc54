"""Recommendations: users and items as vectors, biases, and a prediction for pairs that were not seen."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(17)
users, items, factors = 12, 9, 3
truth = rng.normal(size=(users, 2)) @ rng.normal(size=(2, items))
user_ids, item_ids = np.nonzero(rng.uniform(size=(users, items)) < 0.6)
ratings = truth[user_ids, item_ids].astype(np.float32)

user = tf.placeholder(tf.int32, [None])
item = tf.placeholder(tf.int32, [None])
rating = tf.placeholder(tf.float32, [None])
P = tf.Variable(rng.normal(0.0, 0.5, (users, factors)).astype(np.float32))
Q = tf.Variable(rng.normal(0.0, 0.5, (items, factors)).astype(np.float32))
bias = tf.Variable(tf.zeros([items]))
mean = tf.Variable(float(ratings.mean()), trainable=False)
predicted = tf.reduce_sum(tf.gather(P, user) * tf.gather(Q, item), axis=1) + tf.gather(bias, item) + mean
error = tf.sqrt(tf.losses.mean_squared_error(rating, predicted))
penalty = 0.01 * (tf.nn.l2_loss(P) + tf.nn.l2_loss(Q))
train = tf.train.AdagradOptimizer(0.5).minimize(tf.reduce_sum(tf.square(rating - predicted)) + penalty)

feed = {user: user_ids, item: item_ids, rating: ratings}
errors = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(12):
        sess.run(train, feed)
        errors.append(sess.run(error, feed))
    found = {"errors": errors, "P": sess.run(P), "all": sess.run(tf.matmul(P, Q, transpose_b=True) + bias + mean)}

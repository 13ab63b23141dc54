"""Q-learning with a table in a network: walk to the right end of a corridor."""

import numpy as np

import dovetail as tf

STATES, ACTIONS = 6, 2
rng = np.random.default_rng(6)

inputs1 = tf.placeholder(shape=[1, STATES], dtype=tf.float32)
W = tf.Variable(np.full([STATES, ACTIONS], 0.01, np.float32))
Qout = tf.matmul(inputs1, W)
predict = tf.argmax(Qout, 1)
nextQ = tf.placeholder(shape=[1, ACTIONS], dtype=tf.float32)
loss = tf.reduce_sum(tf.square(nextQ - Qout))
trainer = tf.train.GradientDescentOptimizer(learning_rate=0.25)
updateModel = trainer.minimize(loss)

lengths, rewards = [], []
with tf.Session() as sess:
    sess.run(tf.initialize_all_variables())
    for episode in range(15):
        s, total = 0, 0.0
        for j in range(1, 40):
            a, allQ = sess.run([predict, Qout], feed_dict={inputs1: np.identity(STATES)[s : s + 1]})
            if rng.uniform() < 0.3:
                a[0] = rng.integers(ACTIONS)
            s1 = max(s - 1, 0) if a[0] == 0 else s + 1
            reward = 1.0 if s1 == STATES - 1 else -0.01
            Q1 = sess.run(Qout, feed_dict={inputs1: np.identity(STATES)[s1 : s1 + 1]})
            targetQ = allQ
            targetQ[0, a[0]] = reward + (0.0 if reward == 1.0 else 0.9 * np.max(Q1))
            sess.run([updateModel, W], feed_dict={inputs1: np.identity(STATES)[s : s + 1], nextQ: targetQ})
            total += reward
            s = s1
            if reward == 1.0:
                break
        lengths.append(j)
        rewards.append(total)
    found = {"table": sess.run(W), "lengths": lengths, "rewards": rewards}

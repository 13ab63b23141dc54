"""Two hidden layers with weights in dictionaries, trained with Adam on images of 8 by 8 pixels."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(2)
labels = rng.integers(0, 10, 64)
prototypes = rng.uniform(size=(10, 64))
images = np.clip(prototypes[labels] + rng.normal(0.0, 0.2, (64, 64)), 0.0, 1.0).astype(np.float32)
one_hot = np.eye(10, dtype=np.float32)[labels]

X = tf.placeholder("float", [None, 64])
Y = tf.placeholder("float", [None, 10])


def normal(*shape):
    return tf.Variable(rng.normal(0.0, 0.2, shape).astype(np.float32))


weights = {"h1": normal(64, 32), "h2": normal(32, 32), "out": normal(32, 10)}
biases = {"b1": normal(32), "b2": normal(32), "out": normal(10)}


def multilayer_perceptron(x):
    layer_1 = tf.nn.relu(tf.add(tf.matmul(x, weights["h1"]), biases["b1"]))
    layer_2 = tf.nn.relu(tf.add(tf.matmul(layer_1, weights["h2"]), biases["b2"]))
    return tf.matmul(layer_2, weights["out"]) + biases["out"]


logits = multilayer_perceptron(X)
loss_op = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=Y))
train_op = tf.train.AdamOptimizer(learning_rate=0.01).minimize(loss_op)
correct = tf.equal(tf.argmax(logits, 1), tf.argmax(Y, 1))
accuracy = tf.reduce_mean(tf.cast(correct, "float"))

losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for epoch in range(3):
        for batch in np.split(np.arange(64), 4):
            _, loss = sess.run([train_op, loss_op], feed_dict={X: images[batch], Y: one_hot[batch]})
            losses.append(loss)
    found = {"losses": losses, "accuracy": accuracy.eval({X: images, Y: one_hot}), "out": sess.run(weights["out"])}

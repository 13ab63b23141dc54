"""tf.metrics over batches: values, update operations, and beginning anew."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(25)
labels = rng.integers(0, 3, (3, 20))
predictions = np.where(rng.uniform(size=(3, 20)) < 0.6, labels, rng.integers(0, 3, (3, 20)))
scores = rng.uniform(size=(3, 20)).astype(np.float32)
truth = scores + rng.normal(0.0, 0.3, (3, 20)) > 0.5
weights = rng.integers(0, 2, (3, 20)).astype(np.float32)

label = tf.placeholder(tf.int64, [None])
prediction = tf.placeholder(tf.int64, [None])
score = tf.placeholder(tf.float32, [None])
true = tf.placeholder(tf.bool, [None])
weight = tf.placeholder(tf.float32, [None])
number = tf.cast(true, tf.float32)

metrics = {
    "accuracy": tf.metrics.accuracy(label, prediction),
    "weighted": tf.metrics.accuracy(label, prediction, weights=weight),
    "mean": tf.metrics.mean(score, weight),
    "precision": tf.metrics.precision(true, score > 0.4),
    "recall": tf.metrics.recall(true, score > 0.4, weights=weight),
    "auc": tf.metrics.auc(true, score, num_thresholds=50),
    "pr": tf.metrics.auc(true, score, num_thresholds=50, curve="PR", summation_method="careful_interpolation"),
    "rmse": tf.metrics.root_mean_squared_error(number, score),
    "mae": tf.metrics.mean_absolute_error(number, score),
    "iou": tf.metrics.mean_iou(label, prediction, num_classes=3),
    "per_class": tf.metrics.mean_per_class_accuracy(label, prediction, 3),
    "false_negatives": tf.metrics.false_negatives(true, score > 0.4),
    "true_positives": tf.metrics.true_positives(true, score > 0.4),
    "below": tf.metrics.percentage_below(score, 0.3),
    "sensitivity": tf.metrics.sensitivity_at_specificity(true, score, 0.7, num_thresholds=50),
    "at_thresholds": tf.metrics.precision_at_thresholds(true, score, [0.2, 0.5, 0.8]),
}
values = {name: pair[0] for name, pair in metrics.items()}
updates = [pair[1] for pair in metrics.values()]

with tf.Session() as sess:
    sess.run(tf.local_variables_initializer())
    for step in range(3):
        feed = {
            label: labels[step],
            prediction: predictions[step],
            score: scores[step],
            true: truth[step],
            weight: weights[step],
        }
        sess.run(updates, feed)
        if step == 0:
            early = sess.run(values["accuracy"])
    found = sess.run(values)
    found["early"] = early
    found["confusion"] = sess.run(tf.confusion_matrix(labels[0], predictions[0], num_classes=3))
    sess.run(tf.local_variables_initializer())
    found["anew"] = sess.run(values["mean"])
    found["variables"] = [len(tf.local_variables()) == len(tf.get_collection(tf.GraphKeys.METRIC_VARIABLES))]

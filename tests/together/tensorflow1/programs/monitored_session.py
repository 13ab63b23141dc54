"""A training loop that saves, stops and goes on by itself."""

import glob
import os

import numpy as np

import dovetail as tf

folder = "trained"
data = np.random.default_rng(19).normal(size=(40, 3)).astype(np.float32)


class Remember(tf.train.SessionRunHook):
    """What a hook sees, and in which order."""

    def __init__(self, tensor):
        self.tensor, self.values, self.events = tensor, [], []

    def begin(self):
        self.events.append("begin")

    def after_create_session(self, session, coord):
        self.events.append("created")

    def before_run(self, run_context):
        return tf.train.SessionRunArgs({"loss": self.tensor})

    def after_run(self, run_context, run_values):
        self.values.append(run_values.results["loss"])
        if run_values.results["loss"] < 1e-3:
            run_context.request_stop()

    def end(self, session):
        self.events.append("end")


def train(last_step):
    tf.reset_default_graph()
    x = tf.placeholder(tf.float32, [None, 3])
    w = tf.get_variable("w", [3], initializer=tf.zeros_initializer())
    loss = tf.reduce_mean(tf.square(tf.reduce_sum(x * w, 1) - tf.reduce_sum(x, 1)))
    global_step = tf.train.get_or_create_global_step()
    train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=global_step)
    remember = Remember(loss)
    hooks = [tf.train.StopAtStepHook(last_step=last_step), tf.train.NanTensorHook(loss), remember]
    steps = 0
    with tf.train.MonitoredTrainingSession(
        checkpoint_dir=folder,
        hooks=hooks,
        save_checkpoint_secs=None,
        save_checkpoint_steps=4,
        save_summaries_steps=None,
        log_step_count_steps=None,
    ) as sess:
        while not sess.should_stop():
            sess.run(train_op, {x: data[steps % 4 :: 4]})
            steps += 1
    return steps, remember


first, seen = train(6)
again, seen_again = train(10)
state = tf.train.get_checkpoint_state(folder)
found = {
    "steps": [first, again],
    "losses": [*seen.values, *seen_again.values],
    "events": seen.events,
    "latest": os.path.basename(state.model_checkpoint_path),  # noqa: PTH119
    "step": tf.train.load_variable(folder, "global_step"),
    "w": tf.train.load_variable(folder, "w"),
    "kept": sorted(
        int(one.rpartition("-")[2].removesuffix(".meta"))
        for one in glob.glob("trained/*.meta")  # noqa: PTH207
    ),
}

"""Saving, restoring some variables under other names, and a graph that is read from a file."""

import os

import numpy as np

import dovetail as tf

folder = "saved"
path = "./saved/model.ckpt"

v1 = tf.get_variable("v1", shape=[3], initializer=tf.zeros_initializer())
v2 = tf.get_variable("v2", shape=[5], initializer=tf.zeros_initializer())
global_step = tf.Variable(0, trainable=False, name="global_step")
inc_v1 = v1.assign(v1 + 1)
dec_v2 = v2.assign(v2 - 1)
count = tf.assign_add(global_step, 1)
x = tf.placeholder(tf.float32, [3], name="x")
y = tf.add(v1 * x, tf.reduce_sum(v2), name="y")
tf.add_to_collection("predict", y)
saver = tf.train.Saver(max_to_keep=2)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(3):
        sess.run([inc_v1, dec_v2, count])
        saver.save(sess, path, global_step=global_step)
    kept = [os.path.basename(one) for one in saver.last_checkpoints]  # noqa: PTH119
latest = tf.train.latest_checkpoint(folder)
state = tf.train.get_checkpoint_state(folder)

with tf.Session() as sess:
    saver.restore(sess, latest)
    restored = sess.run([v1, v2])
    steps = sess.run(global_step)

tf.reset_default_graph()
other = tf.get_variable("other", [5], initializer=tf.zeros_initializer())
partial = tf.train.Saver({"v2": other})
with tf.Session() as sess:
    partial.restore(sess, latest)
    renamed = other.eval()

tf.reset_default_graph()
with tf.Session() as sess:
    imported = tf.train.import_meta_graph(latest + ".meta")
    imported.restore(sess, latest)
    graph = tf.get_default_graph()
    x = graph.get_tensor_by_name("x:0")
    y = tf.get_collection("predict")[0]
    predicted = sess.run(y, {x: np.arange(3.0)})
    names = [variable.name for variable in tf.global_variables()]

found = {
    "kept": kept,
    "latest": os.path.basename(latest),  # noqa: PTH119
    "state": os.path.basename(state.model_checkpoint_path),  # noqa: PTH119
    "v1": restored[0],
    "v2": restored[1],
    "steps": steps,
    "renamed": renamed,
    "predicted": predicted,
    "names": names,
    "listed": [name for name, _ in tf.train.list_variables(latest)],
    "loaded": tf.train.load_variable(latest, "v1"),
}

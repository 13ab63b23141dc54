"""Images, changed as training data are, without chance: colours, borders, sizes."""

import numpy as np

import dovetail as tf

rng = np.random.default_rng(32)
batch = tf.constant(rng.uniform(size=(2, 6, 8, 3)).astype(np.float32))
image = batch[0]
numbers = tf.constant(rng.integers(0, 256, (4, 5, 3)).astype(np.uint8))

fetches = {
    "flipped": tf.image.flip_left_right(image),
    "turned": tf.image.rot90(image),
    "transposed": tf.image.transpose_image(image),
    "brighter": tf.image.adjust_brightness(image, 0.2),
    "contrast": tf.image.adjust_contrast(image, 1.5),
    "saturated": tf.image.adjust_saturation(image, 0.5),
    "hue": tf.image.adjust_hue(image, 0.1),
    "gamma": tf.image.adjust_gamma(image, 0.7),
    "grey": tf.image.rgb_to_grayscale(batch),
    "hsv": tf.image.rgb_to_hsv(batch),
    "back": tf.image.hsv_to_rgb(tf.image.rgb_to_hsv(batch)),
    "standard": tf.image.per_image_standardization(image),
    "central": tf.image.central_crop(image, 0.5),
    "cropped": tf.image.crop_to_bounding_box(image, 1, 2, 3, 4),
    "padded": tf.image.pad_to_bounding_box(image, 1, 1, 9, 10),
    "crop_or_pad": tf.image.resize_image_with_crop_or_pad(image, 4, 10),
    "floating": tf.image.convert_image_dtype(numbers, tf.float32),
    "whole": tf.image.convert_image_dtype(image, tf.uint8),
    "variation": tf.image.total_variation(batch),
    "bilinear": tf.image.resize_images(batch, [9, 5]),
    "nearest": tf.image.resize_images(batch, [3, 4], method=tf.image.ResizeMethod.NEAREST_NEIGHBOR),
    "psnr": tf.image.psnr(batch, 0.9 * batch, max_val=1.0),
}
with tf.Session() as sess:
    found = sess.run(fetches)

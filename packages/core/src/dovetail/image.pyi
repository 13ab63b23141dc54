# Images: sizes, flips, parts, colours, measures.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail.ops.batch_blocks import extract_image_patches as extract_image_patches
from dovetail.ops.random import random_crop as random_crop
from dovetail_layers.image import adjust_brightness as adjust_brightness
from dovetail_layers.image import adjust_contrast as adjust_contrast
from dovetail_layers.image import adjust_gamma as adjust_gamma
from dovetail_layers.image import adjust_hue as adjust_hue
from dovetail_layers.image import adjust_saturation as adjust_saturation
from dovetail_layers.image import central_crop as central_crop
from dovetail_layers.image import convert_image_dtype as convert_image_dtype
from dovetail_layers.image import crop_and_resize as crop_and_resize
from dovetail_layers.image import crop_to_bounding_box as crop_to_bounding_box
from dovetail_layers.image import flip_left_right as flip_left_right
from dovetail_layers.image import flip_up_down as flip_up_down
from dovetail_layers.image import grayscale_to_rgb as grayscale_to_rgb
from dovetail_layers.image import hsv_to_rgb as hsv_to_rgb
from dovetail_layers.image import image_gradients as image_gradients
from dovetail_layers.image import non_max_suppression as non_max_suppression
from dovetail_layers.image import pad_to_bounding_box as pad_to_bounding_box
from dovetail_layers.image import per_image_standardization as per_image_standardization
from dovetail_layers.image import psnr as psnr
from dovetail_layers.image import random_brightness as random_brightness
from dovetail_layers.image import random_contrast as random_contrast
from dovetail_layers.image import random_flip_left_right as random_flip_left_right
from dovetail_layers.image import random_flip_up_down as random_flip_up_down
from dovetail_layers.image import random_hue as random_hue
from dovetail_layers.image import random_saturation as random_saturation
from dovetail_layers.image import resize_image_with_crop_or_pad as resize_image_with_crop_or_pad
from dovetail_layers.image import resize_image_with_pad as resize_image_with_pad
from dovetail_layers.image import resize_with_crop_or_pad as resize_with_crop_or_pad
from dovetail_layers.image import rgb_to_grayscale as rgb_to_grayscale
from dovetail_layers.image import rgb_to_hsv as rgb_to_hsv
from dovetail_layers.image import rgb_to_yiq as rgb_to_yiq
from dovetail_layers.image import rgb_to_yuv as rgb_to_yuv
from dovetail_layers.image import rot90 as rot90
from dovetail_layers.image import sobel_edges as sobel_edges
from dovetail_layers.image import ssim as ssim
from dovetail_layers.image import ssim_multiscale as ssim_multiscale
from dovetail_layers.image import total_variation as total_variation
from dovetail_layers.image import transpose as transpose
from dovetail_layers.image import transpose_image as transpose_image
from dovetail_layers.image import yiq_to_rgb as yiq_to_rgb
from dovetail_layers.image import yuv_to_rgb as yuv_to_rgb
from dovetail_layers.resizing import ResizeMethod as ResizeMethod
from dovetail_layers.resizing import resize as resize
from dovetail_layers.resizing import resize_area as resize_area
from dovetail_layers.resizing import resize_bicubic as resize_bicubic
from dovetail_layers.resizing import resize_bilinear as resize_bilinear
from dovetail_layers.resizing import resize_images as resize_images
from dovetail_layers.resizing import resize_nearest_neighbor as resize_nearest_neighbor

extract_patches = extract_image_patches

def __getattr__(name: str) -> _Any: ...  # what other plugins provide

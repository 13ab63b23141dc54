"""Taking noise away from a photograph, by an autoencoder that has seen another one.

Trains a transformer of `dt.sklearn` on patches of one of scikit-learn's two photographs: it adds noise to them, and
learns to restore them as they were. Then it cleans the other photograph, patch by patch, takes means where patches
overlap, and draws before and after with the peak signal-to-noise ratio (PSNR).

    python examples/denoising.py [--output out/denoising] [--steps 5000] [--seed 0]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_sample_images
from sklearn.feature_extraction.image import extract_patches_2d, reconstruct_from_patches_2d

import dovetail as dt

NOISE = 0.1
PATCH = (8, 8)
PATCHES = 40_000
BATCH = 128
PART = (slice(80, 336), slice(160, 480))  # of the photograph that is cleaned


def photographs() -> tuple[np.ndarray, np.ndarray]:
    """Return the one to learn from and the one to clean, of shape [height, width, 3] from 0 to 1."""
    china, flower = (image.astype(np.float32) / 255.0 for image in load_sample_images().images)
    return china, flower[PART]


def with_noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add normal noise."""
    return (image + NOISE * rng.standard_normal(image.shape)).astype(np.float32)


def as_samples(patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return patches as rows without their mean colour, and that mean."""
    means = patches.mean(axis=(1, 2), keepdims=True)
    return (patches - means).reshape(len(patches), -1), means


def fit(image: np.ndarray, steps: int, seed: int, quiet: bool = False) -> dt.sklearn.DovetailTransformer:
    """Train for about so many steps on patches of an image."""
    patches = extract_patches_2d(image, PATCH, max_patches=min(PATCHES, steps * BATCH), random_state=seed)
    coder = dt.sklearn.DovetailTransformer(
        n_components=64,
        hidden_layer_sizes=(384,),
        noise=NOISE,
        alpha=0.0,
        batch_size=BATCH,
        max_iter=max(1, steps * BATCH // len(patches)),
        n_iter_no_change=None,
        random_state=seed,
        verbose=not quiet,
    )
    return coder.fit(as_samples(patches)[0])


def cleaned(coder: dt.sklearn.DovetailTransformer, image: np.ndarray) -> np.ndarray:
    """Return the image as the codes of its patches tell of it."""
    patches = extract_patches_2d(image, PATCH)
    samples, means = as_samples(patches)
    restored = coder.inverse_transform(coder.transform(samples)).reshape(patches.shape) + means
    return np.clip(reconstruct_from_patches_2d(restored, image.shape), 0.0, 1.0)


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio in decibels."""
    return float(-10.0 * np.log10(np.square(image - truth).mean()))


def draw(path: Path, images: dict[str, np.ndarray]) -> None:
    """Draw images side by side."""
    from matplotlib import pyplot as plt

    plt.switch_backend("Agg")
    figure, axes = plt.subplots(1, len(images), figsize=(4.2 * len(images), 3.7), layout="constrained")
    for place, (title, image) in zip(axes, images.items(), strict=True):
        place.imshow(np.clip(image, 0.0, 1.0))
        place.set_title(title)
        place.axis("off")
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main() -> None:
    """Train, clean, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("out/denoising"), help="folder for what is made")
    parser.add_argument("--steps", type=int, default=5000, help="steps of training")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    learned_from, truth = photographs()
    noisy = with_noise(truth, np.random.default_rng(options.seed + 1))
    clean = cleaned(fit(learned_from, options.steps, options.seed), noisy)
    before, after = psnr(np.clip(noisy, 0.0, 1.0), truth), psnr(clean, truth)
    print(f"PSNR {before:.2f} dB with noise, {after:.2f} dB cleaned")
    draw(
        options.output / "denoising.jpg",
        {f"with noise, {before:.1f} dB": noisy, f"cleaned, {after:.1f} dB": clean, "the photograph": truth},
    )
    print(f"drew {options.output / 'denoising.jpg'}")


if __name__ == "__main__":
    main()

"""Estimators: training, evaluation and prediction from one model function, as ``dt.estimator`` hands them on."""

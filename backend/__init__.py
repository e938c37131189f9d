"""The reconstruction: one photo in, a head with its maps out."""

import os

# The matrices here are a few hundred wide. A second BLAS thread gains little on them, and where another program keeps
# the cores busy its spinning costs ten times the work (20 s instead of 1.5 s a fit, measured on two cores).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

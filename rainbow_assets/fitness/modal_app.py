"""The Modal app that trains models; to deploy it, run: modal deploy -m rainbow_assets.fitness.modal_app.

Importing this file needs no token.
"""

import modal

from rainbow_assets.fitness import remote

PINS = (
    "torch==2.13.0", "safetensors==0.8.0", "numpy==2.4.6", "polars==2.1.0", "pyarrow==26.0.1",
    "fsspec==2026.9.0", "PyYAML==6.0.3", "rich==15.0.0", "soundfile==0.14.0", "soxr==1.1.0",
    "scipy==1.17.1", "modal==1.6.4",
)
image = (modal.Image.debian_slim(python_version="3.11").apt_install("libsndfile1").pip_install(*PINS)
         .add_local_python_source("rainbow_assets"))
app = modal.App(remote.APP, image=image)


@app.function(gpu=remote.GPU, timeout=3600, max_containers=6)
def fit(message: bytes) -> bytes:
    """Return the model trained on the data of a packed message."""
    return remote.fit_message(message)

# Two images of the same worker. Neither holds encoder weights: they come in through two volumes,
#   /models   Python packages that carry weights (the starter model, see docker-compose.yml)
#   /cache    what was fetched from the Hugging Face hub
#
#   docker build --target cpu  --tag glossator:cpu  --build-arg TORCH_INDEX=<index of torch's CPU wheels> .
#   docker build --target cuda --tag glossator:cuda .
#
# Without TORCH_INDEX the cpu image works too, but on x86-64 carries several GB of CUDA libraries it never uses.
# The cuda image brings CUDA with torch's wheels; the host gives the driver (NVIDIA Container Toolkit, --gpus all).

ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS packages
RUN python -m venv /opt/glossator
ENV PATH=/opt/glossator/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY constraints.txt ./

FROM packages AS torch-cpu
ARG TORCH_INDEX=
RUN pip install --constraint constraints.txt ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch

FROM packages AS torch-cuda
RUN pip install --constraint constraints.txt torch

# torch stands in a layer of its own: a change of our code does not build it again.
FROM torch-cpu AS build-cpu
COPY pyproject.toml README.md LICENSE glossator.py ./
COPY schemas schemas
COPY stream stream
COPY workers workers
RUN pip install --constraint constraints.txt .

FROM torch-cuda AS build-cuda
COPY pyproject.toml README.md LICENSE glossator.py ./
COPY schemas schemas
COPY stream stream
COPY workers workers
RUN pip install --constraint constraints.txt .

FROM python:${PYTHON}-slim AS runtime
# Volumes mounted here take over the owner.
RUN useradd --uid 10001 --create-home glossator \
    && mkdir /models /cache \
    && chown glossator: /models /cache
COPY constraints.txt /opt/constraints.txt
ENV PATH=/opt/glossator/bin:$PATH \
    PYTHONPATH=/models \
    PYTHONUNBUFFERED=1 \
    HF_HOME=/cache
VOLUME ["/models", "/cache"]
USER 10001
WORKDIR /home/glossator
ENTRYPOINT ["glossator"]
CMD ["--help"]

FROM runtime AS cuda
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=build-cuda /opt/glossator /opt/glossator

FROM runtime AS cpu
COPY --from=build-cpu /opt/glossator /opt/glossator

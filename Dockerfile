# Two images of the same worker.
#
#   docker build --target cpu  --tag glossator:cpu .
#   docker build --target cuda --tag glossator:cuda .
#
# Build arguments:
#   EXTRAS        which extras of pyproject.toml are installed; all of them by default, none if it is empty
#   TORCH_INDEX   where the cpu image gets torch: by default PyTorch's own index of wheels without CUDA; if it is empty,
#                 pip's own index, whose wheels for x86-64 bring several GB of CUDA libraries
#   PYTHON        the version of Python
#
# What is mounted, or put there by an image made from one of these (docs/deployment.md):
#   /pipelines    pipeline files and the modules of custom tasks; also the working directory
#   /models       Python packages that hold weights, such as that of the starter model
#   /cache        what was fetched from the Hugging Face hub
#   /state        the events in hand, so that one which kills the worker is known after the restart; keep this volume
#
# The cuda image brings CUDA with torch's wheels; the host gives the driver (NVIDIA Container Toolkit, --gpus all).

ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS requirements
COPY deploy/image/requirements.py pyproject.toml /src/
ARG EXTRAS=all
RUN python /src/requirements.py /src/pyproject.toml "${EXTRAS}" >/requirements.txt

# Installed for the environment of the image, but into an empty folder: our code is a layer that holds nothing else.
FROM python:${PYTHON}-slim AS code
RUN python -m venv /opt/glossator
WORKDIR /src
COPY pyproject.toml README.md LICENSE glossator.py ./
COPY schemas schemas
COPY stream stream
COPY workers workers
RUN /opt/glossator/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --prefix /install .

FROM python:${PYTHON}-slim AS base
# Volumes that are mounted at these folders take over the owner.
RUN useradd --uid 10001 --create-home glossator \
    && install --directory --owner glossator --group glossator /pipelines /models /cache /state \
    && python -m venv /opt/glossator \
    && printf '/models\n/pipelines\n' \
        >"$(/opt/glossator/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/mounted.pth"
COPY constraints.txt /opt/constraints.txt
# In a container, loopback would hide metrics and probes from everybody. An empty GLOSSATOR_TELEMETRY leaves their
# address to the pipeline file.
ENV PATH=/opt/glossator/bin:$PATH \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONUNBUFFERED=1 \
    HF_HOME=/cache \
    GLOSSATOR_STATE=/state \
    GLOSSATOR_TELEMETRY=0.0.0.0:9464
EXPOSE 9464
VOLUME /state
WORKDIR /pipelines
HEALTHCHECK --interval=30s --timeout=15s --start-period=90s CMD ["glossator", "probe"]
ENTRYPOINT ["glossator"]
CMD ["--help"]
LABEL org.opencontainers.image.title=glossator \
    org.opencontainers.image.description="Streaming NLP for Kafka" \
    org.opencontainers.image.licenses=Apache-2.0

# Three layers, from the one that changes least to the one that changes most: torch, the other libraries, our code.
FROM base AS cpu
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --no-deps --constraint /opt/constraints.txt ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch
COPY --from=requirements /requirements.txt /opt/requirements.txt
RUN pip install --constraint /opt/constraints.txt --requirement /opt/requirements.txt
COPY --from=code /install /opt/glossator
USER 10001

FROM base AS cuda
RUN pip install --constraint /opt/constraints.txt torch
COPY --from=requirements /requirements.txt /opt/requirements.txt
RUN pip install --constraint /opt/constraints.txt --requirement /opt/requirements.txt
COPY --from=code /install /opt/glossator
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001

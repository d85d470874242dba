FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/trailstate
COPY requirements/lab.lock requirements/lab.lock
RUN pip install --no-cache-dir --require-hashes -r requirements/lab.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip install --no-cache-dir hatchling && pip install --no-cache-dir --no-deps --no-build-isolation . \
    && useradd --create-home trail && mkdir /var/lib/trailstate && chown trail /var/lib/trailstate
USER trail
ENV TRAILSTATE_DATA=/var/lib/trailstate
VOLUME /var/lib/trailstate
EXPOSE 4566
# The container's own network is the boundary here: publish the port to loopback only.
CMD ["trailstate", "up", "--host", "0.0.0.0", "--open"]

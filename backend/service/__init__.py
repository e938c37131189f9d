"""The ZeroMQ server, its job queue, the worker that holds the models, and clients."""

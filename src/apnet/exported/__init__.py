"""Exported files: their metadata, and reading them; ``onnx_reader`` needs no torch.

Nothing is imported here, so that a process without torch can import ``onnx_reader`` alone.
"""
